"""The triplet loss of FaceNet with online semi-hard mining, as formulas on arrays.

Source: Schroff, Kalenichenko, Philbin, "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR 2015,
equation 2 and section 3.2, on squared Euclidean distances of unit vectors. Training computes the same with PyTorch
(`recognition.training.heads`), whose gradients these functions do not give.
"""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recognition.vision.types import require_array

MARGIN = 0.2
"""By which another person is to be further away than the same one, in squared distance; as in FaceNet."""

Vectors: TypeAlias = NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Triplets:
    """Rows of a batch that belong together.

    Args:
        anchors: (n,) int64.
        positives: (n,) int64, other images of the anchors' people.
        negatives: (n,) int64, images of other people.
    """

    anchors: NDArray[np.int64]
    positives: NDArray[np.int64]
    negatives: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.anchors)


def squared_distances(vectors: Vectors) -> NDArray[np.float64]:
    """(n, n) float64 squared Euclidean distances of rows, 0..4 between unit vectors.

    Args:
        vectors: (n, d) float32, each row of length 1.
    """
    require_array("vectors", vectors, shape=(None, None), dtype=np.float32)
    similarities = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    return np.asarray(np.clip(2.0 - 2.0 * similarities, 0.0, 4.0))


def semi_hard(vectors: Vectors, people: NDArray[np.int64], margin: float = MARGIN) -> Triplets:
    """All semi-hard triplets of a batch: the other person is further away than the same one, by less than the margin.

    Easy triplets, beyond the margin, have no loss to learn from; the hardest, where the other person is nearer, make
    training collapse early on (FaceNet, section 3.2).

    Args:
        vectors: (n, d) float32, each row of length 1.
        people: (n,) int64, equal numbers for images of one person.
        margin: see `MARGIN`.
    """
    distances = squared_distances(vectors)
    require_array("people", people, shape=(len(vectors),), dtype=np.int64)
    same = people[:, None] == people[None, :]
    mated = same & ~np.eye(len(people), dtype=np.bool_)
    # Row, column, depth: anchor, positive, negative.
    gap = distances[:, None, :] - distances[:, :, None]
    chosen = mated[:, :, None] & ~same[:, None, :] & (gap > 0.0) & (gap <= margin)
    return Triplets(*(each.astype(np.int64) for each in np.nonzero(chosen)))


def losses(vectors: Vectors, triplets: Triplets, margin: float = MARGIN) -> NDArray[np.float64]:
    """(n,) float64 max(0, d(anchor, positive) - d(anchor, negative) + margin), d being squared distances.

    Args:
        vectors: (n, d) float32, each row of length 1.
        triplets: rows of `vectors`.
        margin: see `MARGIN`.
    """
    distances = squared_distances(vectors)
    near = distances[triplets.anchors, triplets.positives]
    far = distances[triplets.anchors, triplets.negatives]
    return np.asarray(np.maximum(near - far + margin, 0.0))


def loss(vectors: Vectors, triplets: Triplets, margin: float = MARGIN) -> float:
    """The mean over the triplets that have a loss; 0.0 where none has."""
    each = losses(vectors, triplets, margin)
    lost = each[each > 0.0]
    return float(lost.mean()) if len(lost) else 0.0


def mean_loss_of_all(vectors: Vectors, people: NDArray[np.int64], margin: float = MARGIN) -> float:
    """The mean loss over all triplets that the images make, easy ones among them; 0.0 where they make none.

    Finer than a true match rate of few people: every pair that comes closer counts, not only those at a threshold.

    Args:
        vectors: (n, d) float32, each row of length 1.
        people: (n,) int64, equal numbers for images of one person.
        margin: see `MARGIN`.
    """
    distances = squared_distances(vectors)
    require_array("people", people, shape=(len(vectors),), dtype=np.int64)
    total, count = 0.0, 0
    for anchor, owner in enumerate(people):
        same = people == owner
        far = distances[anchor, ~same]
        same[anchor] = False
        each = np.maximum(distances[anchor, same][:, None] - far[None, :] + margin, 0.0)
        total, count = total + float(each.sum()), count + each.size
    return total / count if count else 0.0
