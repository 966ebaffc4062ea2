"""Every pair of many images compared, block by block, with exact thresholds and counts.

5,000 images are 12.5 million pairs and 100,000 are five thousand million: their similarities are
never held at once. A first pass keeps only the highest non-mated scores, which is all that the
thresholds depend on; a second pass counts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.evaluation import error_rates, gallery_scores
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.gallery_scores import Tally
from recognition.vision.types import require_array

BLOCK_ROWS = 1024
"""Images compared with all later ones at a time, in blocks of 1024 x 1024 float32: 4 MB."""

NOT_ACQUIRED_SIMILARITY = -1.0
"""What a pair counts with when no face was found in one of its images: below every threshold, so a
mated pair is a miss and a non-mated pair is rejected as it should be."""


@dataclasses.dataclass(frozen=True, slots=True)
class FmrPoint:
    """What was counted at the threshold of one false match rate.

    Args:
        fmr: the rate asked for, 0..1.
        threshold: the smallest similarity at which no more non-mated pairs match.
        mated_matches: mated pairs that match there.
        non_mated_matches: non-mated pairs that match there.
    """

    fmr: float
    threshold: float
    mated_matches: int
    non_mated_matches: int


@dataclasses.dataclass(frozen=True, slots=True)
class AllPairs:
    """The comparison of every image with every other one.

    Args:
        mated: pairs of one person.
        non_mated: pairs of two people.
        points: one for each rate asked for, in that order.
        tally: both kinds by their similarity.
    """

    mated: int
    non_mated: int
    points: tuple[FmrPoint, ...]
    tally: Tally = dataclasses.field(compare=False)

    def tmr(self, point: FmrPoint) -> float:
        """True match rate at a point: share of the mated pairs that match, 0..1."""
        return point.mated_matches / self.mated


def compare(
    vectors: NDArray[np.float32],
    people: NDArray[np.int64],
    *,
    fmrs: Sequence[float],
    acquired: NDArray[np.bool_] | None = None,
    block_rows: int = BLOCK_ROWS,
) -> AllPairs:
    """Compares every image with every other one.

    Args:
        vectors: (n, d) float32, each row of length 1 and of one model pack; rows that were not
            acquired may hold anything finite.
        people: (n,) int64, equal numbers for images of one person.
        fmrs: false match rates whose thresholds are wanted, 0..1.
        acquired: (n,) bool, False where no face was found; all True when left out. See
            `NOT_ACQUIRED_SIMILARITY`.
        block_rows: images a block; changes speed and memory, never the counts.

    Returns:
        Exact counts; thresholds as `error_rates.threshold_at_fmr` gives them.

    Raises:
        InvalidArray: for arrays of another shape or type.
        NoScores: without one mated and one non-mated pair.
        ValueError: for a rate outside 0..1.
    """
    require_array("vectors", vectors, shape=(None, None), dtype=np.float32)
    count = len(vectors)
    require_array("people", people, shape=(count,), dtype=np.int64)
    found = np.ones(count, np.bool_) if acquired is None else acquired
    require_array("acquired", found, shape=(count,), dtype=np.bool_)
    _, sizes = np.unique(people, return_counts=True)
    mated = int((sizes * (sizes - 1) // 2).sum())
    non_mated = count * (count - 1) // 2 - mated
    if mated == 0 or non_mated == 0:
        raise NoScores(
            f"all pairs: expected two images of one person and an image of another, got {mated} mated and "
            f"{non_mated} non-mated pairs"
        )
    blocks = _Blocks(vectors, people, found, block_rows)
    allowed = [error_rates.allowed_matches(non_mated, fmr) for fmr in fmrs]
    highest = _highest(blocks, min(max(allowed, default=0) + 1, non_mated))
    thresholds = [
        error_rates.threshold_above(highest[matches]) if matches < non_mated else float(highest[-1])
        for matches in allowed
    ]
    points, tally = _counted(blocks, fmrs, thresholds)
    return AllPairs(mated, non_mated, points, tally)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    vectors: NDArray[np.float32]
    people: NDArray[np.int64]
    acquired: NDArray[np.bool_]
    rows: int

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """The similarities of each block's mated and of its non-mated pairs, each pair once."""
        starts = range(0, len(self.vectors), self.rows)
        for top in starts:
            for left in starts[top // self.rows :]:
                yield self._block(slice(top, top + self.rows), slice(left, left + self.rows))

    def _block(self, rows: slice, columns: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        scores = self.vectors[rows] @ self.vectors[columns].T
        scores[~self.acquired[rows]] = NOT_ACQUIRED_SIMILARITY
        scores[:, ~self.acquired[columns]] = NOT_ACQUIRED_SIMILARITY
        same = self.people[rows][:, None] == self.people[columns][None, :]
        if rows.start == columns.start:
            later = np.triu(np.ones(scores.shape, np.bool_), k=1)
            return scores[same & later], scores[~same & later]
        return scores[same], scores[~same]


def _highest(blocks: _Blocks, count: int) -> NDArray[np.float32]:
    """The highest `count` non-mated similarities, falling."""
    kept = np.empty(0, np.float32)
    for _, non_mated in blocks:
        # Nearly all scores of a block are below the lowest kept one: the cheap test first.
        candidates = non_mated[non_mated > kept.min()] if len(kept) == count else non_mated
        kept = np.concatenate([kept, candidates])
        if len(kept) > count:
            kept = np.partition(kept, len(kept) - count)[-count:]
    return -np.sort(-kept)


def _counted(blocks: _Blocks, fmrs: Sequence[float], thresholds: Sequence[float]) -> tuple[tuple[FmrPoint, ...], Tally]:
    matches = np.zeros((len(thresholds), 2), np.int64)
    tally = Tally.nothing()
    for mated, non_mated in blocks:
        tally += Tally.of_pairs(gallery_scores.binned(mated), gallery_scores.binned(non_mated))
        for row, threshold in enumerate(thresholds):
            matches[row] += np.count_nonzero(mated >= threshold), np.count_nonzero(non_mated >= threshold)
    points = tuple(
        FmrPoint(fmr, threshold, int(mated), int(non_mated))
        for fmr, threshold, (mated, non_mated) in zip(fmrs, thresholds, matches, strict=True)
    )
    return points, tally
