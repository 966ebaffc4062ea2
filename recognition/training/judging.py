"""Whether a head is better than what it was put on, by the detection error trade-off of people it has not seen."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from recognition.evaluation import all_pairs, error_rates
from recognition.training.triplets import Vectors

FMRS = (1e-2, 1e-3, 1e-4, 1e-5)
"""Where the trade-off is looked at, as far as the pairs can tell."""


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """Both true match rates at one false match rate.

    Args:
        fmr: 0..1.
        before: TMR of the embeddings alone, 0..1.
        after: TMR with the head, 0..1.
        threshold: similarity with the head at which that FMR is kept.
        is_supported: whether there are pairs enough to tell.
    """

    fmr: float
    before: float
    after: float
    threshold: float
    is_supported: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Judgement:
    """The trade-off before and after.

    Args:
        points: one for each of `FMRS`.
        mated: pairs of one person.
        non_mated: pairs of two people.
    """

    points: tuple[Point, ...]
    mated: int
    non_mated: int

    @property
    def is_better(self) -> bool:
        """Whether no point that the pairs can tell is worse, and one is better."""
        told = [point for point in self.points if point.is_supported]
        return all(point.after >= point.before for point in told) and any(point.after > point.before for point in told)


def judged(before: Vectors, after: Vectors, people: NDArray[np.int64]) -> Judgement:
    """Compares every image with every other one, without the head and with it.

    Args:
        before: (n, d) float32, each row of length 1.
        after: (n, k) float32, the same images with the head, each row of length 1.
        people: (n,) int64, equal numbers for images of one person.

    Raises:
        NoScores: without pairs of both kinds.
    """
    alone, headed = (all_pairs.compare(vectors, people, fmrs=FMRS) for vectors in (before, after))
    points = tuple(
        Point(
            fmr=old.fmr,
            before=alone.tmr(old),
            after=headed.tmr(new),
            threshold=new.threshold,
            is_supported=error_rates.is_supported(headed.non_mated, old.fmr),
        )
        for old, new in zip(alone.points, headed.points, strict=True)
    )
    return Judgement(points, headed.mated, headed.non_mated)
