"""Whether a quality score is worth having: the error-versus-discard curve of ISO/IEC 29794-1.

The worst images are left out, and with them every pair that they are part of. When the score foretells
recognition, the share of mated pairs that do not match falls with each further image left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.evaluation.error_rates import NoScores
from recognition.vision.types import require_array

SHARES = (0.0, 0.05, 0.1, 0.2)
"""Shares of the images that are left out."""


@dataclasses.dataclass(frozen=True, slots=True)
class DiscardPoint:
    """What was counted without the worst images.

    Args:
        share: of the images left out, 0..1.
        least_quality: of the images that stay.
        mated: pairs of one person that stay.
        missed: those of them below the threshold.
    """

    share: float
    least_quality: int
    mated: int
    missed: int

    @property
    def fnmr(self) -> float:
        """False non-match rate, 0..1; 0 where no pair stays."""
        return self.missed / self.mated if self.mated else 0.0


def curve(
    vectors: NDArray[np.float32],
    people: NDArray[np.int64],
    qualities: NDArray[np.int64],
    *,
    threshold: float,
    shares: Sequence[float] = SHARES,
) -> tuple[DiscardPoint, ...]:
    """Counts the missed mated pairs without the worst images.

    Args:
        vectors: (n, d) float32, each row of length 1 and of one model pack.
        people: (n,) int64, equal numbers for images of one person.
        qualities: (n,) int64, higher is better; of two images that are as good the later one goes first.
        threshold: cosine similarity from which a pair matches.
        shares: of the images left out, 0..1.

    Returns:
        One point for each share.

    Raises:
        InvalidArray: for arrays of another shape or type.
        NoScores: without a mated pair.
    """
    require_array("vectors", vectors, shape=(None, None), dtype=np.float32)
    count = len(vectors)
    require_array("people", people, shape=(count,), dtype=np.int64)
    require_array("qualities", qualities, shape=(count,), dtype=np.int64)
    best_first = np.argsort(-qualities, kind="stable")
    rank = np.empty(count, np.int64)
    rank[best_first] = np.arange(count)
    worse, similarities = _mated(vectors, people, rank)
    if len(worse) == 0:
        raise NoScores("expected two images of one person")
    points = []
    for share in shares:
        kept = count - int(share * count)
        stays = worse < kept
        missed = int(np.count_nonzero(similarities[stays] < threshold))
        least = int(qualities[best_first[kept - 1]]) if kept else 0
        points.append(DiscardPoint(share, least, int(stays.sum()), missed))
    return tuple(points)


def _mated(
    vectors: NDArray[np.float32], people: NDArray[np.int64], rank: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Every mated pair: the rank of its worse image, and its similarity."""
    ranks, similarities = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    order = np.argsort(people, kind="stable")
    _, starts = np.unique(people[order], return_index=True)
    for rows in np.split(order, starts[1:]):
        one, other = np.triu_indices(len(rows), k=1)
        ranks.append(np.maximum(rank[rows[one]], rank[rows[other]]))
        similarities.append((vectors[rows] @ vectors[rows].T)[one, other])
    return np.concatenate(ranks), np.concatenate(similarities)
