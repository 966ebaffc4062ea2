"""Where new unknown faces belong: to a person-to-be who is there, or to a new one.

A face never leaves its group by itself, and two groups that somebody decided on are never joined. So nothing that
people did is undone, whatever comes later. Groups that nobody touched may turn out to be one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set

import numpy as np
from numpy.typing import NDArray

from recognition.decision import clustering
from recognition.decision.clustering import Groups
from recognition.vision.types import require_array

LOOSE = 0
"""Stands for the cluster of a face that is in none; the database counts from 1."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """All unknown faces, as they are grouped now.

    Args:
        numbers: (n,) int64, primary keys.
        clusters: (n,) int64, of each face's cluster; `LOOSE` for those in none.
        vectors: (n, d) float32 of unit length, all of one model pack.
        kept: clusters that somebody decided on.

    Raises:
        InvalidArray: for arrays of another shape or type.
    """

    numbers: NDArray[np.int64]
    clusters: NDArray[np.int64]
    vectors: NDArray[np.float32]
    kept: Set[int] = frozenset()

    def __post_init__(self) -> None:
        require_array("vectors", self.vectors, shape=(None, None), dtype=np.float32)
        require_array("numbers", self.numbers, shape=(len(self.vectors),), dtype=np.int64)
        require_array("clusters", self.clusters, shape=(len(self.vectors),), dtype=np.int64)


@dataclasses.dataclass(frozen=True, slots=True)
class Placement:
    """What changes.

    Args:
        joins: by face, the cluster that it joins.
        new: faces that become a new cluster, the largest first.
        merged: by cluster that nobody touched, the one that takes its faces.
    """

    joins: Mapping[int, int] = dataclasses.field(default_factory=dict)
    new: tuple[tuple[int, ...], ...] = ()
    merged: Mapping[int, int] = dataclasses.field(default_factory=dict)


def placed(faces: Faces, threshold: float) -> Placement:
    """Finds a place for every face, by average linkage that begins with the clusters that are there.

    Args:
        faces: all of them.
        threshold: mean similarity from which groups are one person's, -1..1.

    Raises:
        CannotCluster: when too many hang together.
    """
    clusters, where = np.unique(faces.clusters[faces.clusters != LOOSE], return_inverse=True)
    loose = np.flatnonzero(faces.clusters == LOOSE)
    groups = _groups(faces, clusters, where, loose)
    labels = clustering.joined(groups, threshold)
    joins: dict[int, int] = {}
    merged: dict[int, int] = {}
    new = []
    order = np.argsort(labels, kind="stable")
    for together in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        there = clusters[together[together < len(clusters)]].tolist()
        coming = faces.numbers[loose[together[together >= len(clusters)] - len(clusters)]].tolist()
        if not there:
            new.append(tuple(coming))
            continue
        target = next((number for number in there if number in faces.kept), there[0])
        joins.update(dict.fromkeys(coming, target))
        merged.update((number, target) for number in there if number != target)
    return Placement(joins, tuple(sorted(filter(None, new), key=lambda numbers: (-len(numbers), numbers))), merged)


def likeness(vectors: NDArray[np.float32]) -> list[float]:
    """How much each face of a person-to-be is like the others: the mean similarity, 0 of one by itself.

    Args:
        vectors: (n, d) float32 of unit length.
    """
    others = vectors @ vectors.sum(axis=0) - 1.0
    return [float(each) for each in others / max(len(vectors) - 1, 1)]


def _groups(faces: Faces, clusters: NDArray[np.int64], where: NDArray[np.int64], loose: NDArray[np.int64]) -> Groups:
    """First what is grouped, in the order of its numbers, then every loose face."""
    sums = np.zeros((len(clusters) + len(loose), faces.vectors.shape[1]), np.float32)
    np.add.at(sums, where, faces.vectors[faces.clusters != LOOSE])
    sums[len(clusters) :] = faces.vectors[loose]
    counts = np.concatenate([np.bincount(where, minlength=len(clusters)), np.ones(len(loose))]).astype(np.int64)
    fixed = np.zeros(len(sums), np.bool_)
    fixed[: len(clusters)] = [number in faces.kept for number in clusters.tolist()]
    return Groups(sums, counts, fixed)
