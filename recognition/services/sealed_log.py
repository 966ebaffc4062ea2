"""The sealed log: proves that nothing was changed, and lets contents go that may no longer be kept.

Rows are sealed by triggers of the database, so there is nothing to call when something is stored. Where contents are
removed, `forget` is.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeVar

from django.db.backends.utils import CursorWrapper

from recognition.models import SealedContent, SealedKind, SealedRow
from recognition.sealing import chain
from recognition.sealing.anchors import Anchor
from recognition.sealing.chain import Broken, Fault
from recognition.selectors import sealed_log
from recognition.services import backup

T = TypeVar("T")

Report = Callable[[int], object]
"""Is told how many rows have been looked at since it was told last."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verification:
    """What a look through the whole chain found.

    Args:
        rows: that were looked at.
        head: hash of the last one.
        first_broken: None where everything is as it was sealed.
        duration_s: of the look.
    """

    rows: int
    head: bytes
    first_broken: Broken | None
    duration_s: float

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return self.first_broken is None

    @property
    def rows_per_s(self) -> float:
        """How fast it was."""
        return self.rows / self.duration_s if self.duration_s else 0.0


def forget(*, contents: Mapping[SealedKind, Collection[int]]) -> dict[str, list[int]]:
    """Removes the salts of contents that are removed in the same transaction.

    Without its salt, a digest says nothing of what it was made of.

    Args:
        contents: numbers of what goes, by kind.

    Returns:
        What the audit entry of the removal must hold as `removed`: by it the chain stays provable.
    """
    for kind, numbers in contents.items():
        SealedContent.objects.filter(kind=kind, row_id__in=numbers).delete()
    return {str(kind): sorted(numbers) for kind, numbers in contents.items() if numbers}


def verify(*, anchors: Collection[Anchor] = (), report: Report = lambda rows: None) -> Verification:
    """Looks at every row of the chain and at everything that must be in it, as of one moment.

    Others write meanwhile. However long the chain is, a few thousand rows are in memory.

    Args:
        anchors: heads that the chain must have had; without them, one that was computed anew looks like any other.
        report: is told how far it is.
    """
    with backup.snapshot() as (cursor, _):
        return look_through(cursor=cursor, anchors=anchors, report=report)


def look_through(
    *, cursor: CursorWrapper, anchors: Collection[Anchor] = (), report: Report = lambda rows: None
) -> Verification:
    """The same within a transaction that is open already; what it has yet to seal is told as not sealed."""
    began = time.perf_counter()
    walk = chain.Walk()
    broken = _first_broken(cursor, walk, anchors, report) or _cut_off(walk, anchors) or _not_sealed(cursor)
    return Verification(walk.position, walk.head, broken, time.perf_counter() - began)


def rows_now() -> int:
    """How long the chain is, for whoever shows how far a verification is."""
    return SealedRow.objects.order_by("-position").values_list("position", flat=True).first() or 0


def _first_broken(
    cursor: CursorWrapper, walk: chain.Walk, anchors: Collection[Anchor], report: Report
) -> Broken | None:
    # Two heads of one row are those of two chains: this one is not both.
    heads: dict[int, set[bytes]] = {}
    for anchor in anchors:
        heads.setdefault(anchor.position, set()).add(anchor.hash)
    for batch in _one_ahead(sealed_log.batches(cursor)):
        for row, content in batch:
            broken = walk.step(row) or chain.content_fault(row, content)
            if broken is not None:
                return broken
            if heads.get(row.position, {row.hash}) != {row.hash}:
                return Broken(Fault.NOT_AS_ANCHORED, row.position, row.kind, row.row_id)
        report(len(batch))
    return None


def _one_ahead(batches: Iterator[T]) -> Iterator[T]:
    """The same, each read while the one before it is looked at: the database and this program each keep a core busy."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def _cut_off(walk: chain.Walk, anchors: Collection[Anchor]) -> Broken | None:
    is_short = any(anchor.position > walk.position for anchor in anchors)
    return Broken(Fault.SHORTER_THAN_ANCHORED, walk.position + 1) if is_short else None


def _not_sealed(cursor: CursorWrapper) -> Broken | None:
    found = sealed_log.first_not_sealed(cursor)
    return Broken(Fault.NOT_SEALED, None, *found) if found is not None else None
