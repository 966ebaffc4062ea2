"""How a gallery behaves under another model pack: who is found by whose samples, and who is confused only then.

Every sample is a probe once, against all others. As in `decision.gallery_check`, a block of probes is a step by itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from recognition.decision.gallery_check import BLOCK_ROWS, ConfusablePair
from recognition.vision.templates import Templates

NOBODY = -1
"""Place of the most similar sample where there is no other sample."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The most similar other sample of each sample of a block.

    Args:
        places: (n,) int64, rows of the templates; `NOBODY` where there is no other sample.
        similarities: (n,) float32, -1..1; -inf where there is none.
    """

    places: NDArray[np.int64]
    similarities: NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True)
class RankChange:
    """A sample that finds its own person under one pack, and somebody else under the other.

    Args:
        people: whose sample it is, and who is found in their place.
        samples: that sample, and the one that is most similar to it.
        similarity: between the two, -1..1.
    """

    people: tuple[int, int]
    samples: tuple[int, int]
    similarity: float


@dataclasses.dataclass(frozen=True, slots=True)
class Ranks:
    """What becomes of the first rank.

    Args:
        probes: samples that were compared: those that both packs embedded, of people with another one.
        worse: find their own person under the old pack only; the most similar wrong one first.
        better: how many find their own person under the new pack only.
    """

    probes: int
    worse: tuple[RankChange, ...]
    better: int


def nearest(templates: Templates, block: int, block_rows: int = BLOCK_ROWS) -> Nearest:
    """For each sample of a block the most similar one of all others, whoever's it is.

    Args:
        templates: all of them.
        block: which block, from 0.
        block_rows: templates a block.
    """
    rows = slice(block * block_rows, min((block + 1) * block_rows, len(templates)))
    count = max(rows.stop - rows.start, 0)
    places = np.full(count, NOBODY, np.int64)
    best = np.full(count, -np.inf, np.float32)
    for left in range(0, len(templates), block_rows):
        scores = templates.vectors[rows] @ templates.vectors[left : left + block_rows].T
        if left == rows.start:
            np.fill_diagonal(scores, -np.inf)
        columns = scores.argmax(axis=1)
        here = scores[np.arange(count), columns]
        is_better = here > best
        best[is_better] = here[is_better]
        places[is_better] = columns[is_better] + left
    return Nearest(places, best)


def joined(blocks: Iterable[Nearest]) -> Nearest:
    """Those of all blocks, in their order."""
    parts = tuple(blocks)
    if not parts:
        return Nearest(np.empty(0, np.int64), np.empty(0, np.float32))
    return Nearest(
        np.concatenate([part.places for part in parts]), np.concatenate([part.similarities for part in parts])
    )


def ranks(before: Templates, after: Templates, nearest_before: Nearest, nearest_after: Nearest) -> Ranks:
    """Compares whom each sample finds first under two packs, when it is left out of the gallery itself.

    Each pack searches what it has: where it could not embed a person's other sample, that counts as worse. A sample of
    somebody with no other one under the old pack finds a stranger under both, and is no probe.

    Args:
        before: the templates of the old pack.
        after: those of the new one.
        nearest_before: of all rows of `before`.
        nearest_after: of all rows of `after`.
    """
    row_after = {sample: row for row, sample in enumerate(after.samples.tolist())}
    people, counts = np.unique(before.people, return_counts=True)
    with_another = set(people[counts > 1].tolist())
    probes, better, worse = 0, 0, []
    for row, (sample, person) in enumerate(zip(before.samples.tolist(), before.people.tolist(), strict=True)):
        place = row_after.get(sample)
        if person not in with_another or place is None:
            continue
        probes += 1
        was_right = _is_right(before, row, nearest_before)
        is_right = _is_right(after, place, nearest_after)
        better += is_right and not was_right
        if was_right and not is_right and (found := int(nearest_after.places[place])) != NOBODY:
            similarity = min(float(nearest_after.similarities[place]), 1.0)
            worse.append(
                RankChange((person, int(after.people[found])), (sample, int(after.samples[found])), similarity)
            )
    return Ranks(probes, tuple(sorted(worse, key=lambda change: (-change.similarity, change.samples))), better)


def _is_right(templates: Templates, row: int, found: Nearest) -> bool:
    place = int(found.places[row])
    return place != NOBODY and bool(templates.people[place] == templates.people[row])


def newly_confused(before: Iterable[ConfusablePair], after: Iterable[ConfusablePair]) -> tuple[ConfusablePair, ...]:
    """The pairs of people whom only the new pack confuses, in the order of `after`.

    Args:
        before: pairs under the old pack and its threshold.
        after: pairs under the new pack and its own.
    """
    known = {pair.people for pair in before}
    return tuple(pair for pair in after if pair.people not in known)
