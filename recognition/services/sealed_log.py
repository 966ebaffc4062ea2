"""The sealed log: proves that nothing was changed, and lets contents go that may no longer be kept.

Rows are sealed by triggers of the database, so there is nothing to call when something is stored. Where contents are
removed, `forget` is.
"""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import dataclasses
import queue
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from django.db import connection
from django.db.backends.utils import CursorWrapper

from recognition.models import SealedContent, SealedKind, SealedRow
from recognition.sealing import chain
from recognition.sealing.anchors import Anchor
from recognition.sealing.chain import Broken, ChainRow, Content, Fault
from recognition.selectors import sealed_log
from recognition.services import backup

_Batch = list[tuple[ChainRow, Content]]

READERS = 3
"""Connections by which contents are read at the same time: with fewer, one of two cores waits for the other."""

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
    with backup.snapshot() as (cursor, _), contextlib.ExitStack() as stack:
        cursors = [stack.enter_context(_seeing_the_same(cursor)) for _ in range(READERS)]
        return _looked_through(cursor, _read_ahead(cursor, cursors), anchors, report)


def look_through(*, cursor: CursorWrapper, anchors: Collection[Anchor] = ()) -> Verification:
    """The same within a transaction that is open already; what it has yet to seal is told as not sealed."""
    read = (sealed_log.with_contents(cursor, rows) for rows in sealed_log.rows(cursor))
    return _looked_through(cursor, read, anchors, lambda rows: None)


def rows_now() -> int:
    """How long the chain is, for whoever shows how far a verification is."""
    return SealedRow.objects.order_by("-position").values_list("position", flat=True).first() or 0


def _looked_through(
    cursor: CursorWrapper, read: Iterator[_Batch], anchors: Collection[Anchor], report: Report
) -> Verification:
    began = time.perf_counter()
    walk = chain.Walk()
    broken = _first_broken(read, walk, anchors, report) or _cut_off(walk, anchors) or _not_sealed(cursor)
    return Verification(walk.position, walk.head, broken, time.perf_counter() - began)


def _first_broken(
    read: Iterator[_Batch], walk: chain.Walk, anchors: Collection[Anchor], report: Report
) -> Broken | None:
    # Two heads of one row are those of two chains: this one is not both.
    heads: dict[int, set[bytes]] = {}
    for anchor in anchors:
        heads.setdefault(anchor.position, set()).add(anchor.hash)
    for batch in read:
        for row, content in batch:
            broken = walk.step(row) or chain.content_fault(row, content)
            if broken is not None:
                return broken
            if heads.get(row.position, {row.hash}) != {row.hash}:
                return Broken(Fault.NOT_AS_ANCHORED, row.position, row.kind, row.row_id)
        report(len(batch))
    return None


@contextlib.contextmanager
def _seeing_the_same(cursor: CursorWrapper) -> Iterator[CursorWrapper]:
    """A cursor of a connection of its own that sees the database as of the same moment."""
    cursor.execute("SELECT pg_export_snapshot()")
    (snapshot,) = cursor.fetchone()
    own = connection.copy()
    # Not of the pool, which may have one connection only.
    own.settings_dict["OPTIONS"].pop("pool", None)
    # Used by whichever thread reads next, and never by two at once.
    own.inc_thread_sharing()
    try:
        own.set_autocommit(False)
        with own.cursor() as other:
            other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            other.execute("SET TRANSACTION SNAPSHOT %s", [snapshot])
            other.execute(backup.TEXT_SETTINGS)
            yield other
    finally:
        own.close()


def _read_ahead(cursor: CursorWrapper, others: Sequence[CursorWrapper]) -> Iterator[_Batch]:
    """Every batch in turn, with those after it being read: what the database does for them is most of the work.

    Args:
        cursor: for the rows of the chain.
        others: for their contents; each is used for one batch at a time.
    """
    idle = queue.SimpleQueue[CursorWrapper]()
    for other in others:
        idle.put(other)

    def with_contents(rows: list[ChainRow]) -> _Batch:
        other = idle.get()
        try:
            return sealed_log.with_contents(other, rows)
        finally:
            idle.put(other)

    with concurrent.futures.ThreadPoolExecutor(len(others)) as pool:
        coming = collections.deque[concurrent.futures.Future[_Batch]]()
        for rows in sealed_log.rows(cursor):
            coming.append(pool.submit(with_contents, rows))
            if len(coming) > len(others):
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def _cut_off(walk: chain.Walk, anchors: Collection[Anchor]) -> Broken | None:
    is_short = any(anchor.position > walk.position for anchor in anchors)
    return Broken(Fault.SHORTER_THAN_ANCHORED, walk.position + 1) if is_short else None


def _not_sealed(cursor: CursorWrapper) -> Broken | None:
    found = sealed_log.first_not_sealed(cursor)
    return Broken(Fault.NOT_SEALED, None, *found) if found is not None else None
