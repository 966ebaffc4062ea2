"""Which faces show the same people, where nobody says who they are.

The default is agglomerative: of all groups, those two are joined whose faces are most alike on average, again and
again, until no two reach the threshold. Averages keep a chain of look-alikes apart that a single pair would join, and
the threshold is that of a search, which compares a face with everybody too, so it need not be chosen for each lot of
faces.

Source of the average: R. R. Sokal and C. D. Michener, "A statistical method for evaluating systematic relationships",
University of Kansas Science Bulletin 38 (1958); of its update after a join: G. N. Lance and W. T. Williams, "A general
theory of classificatory sorting strategies", The Computer Journal 9 (1967).
"""

from __future__ import annotations

import dataclasses
import enum
import math
import warnings
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recognition.vision.types import require_array

Vectors: TypeAlias = NDArray[np.float32]
Labels: TypeAlias = NDArray[np.int64]

ALONE = -1
"""The label of a face that belongs nowhere: nobody else's is like it."""

BLOCK_ROWS = 1024
"""Faces compared with all later ones at a time, in tiles of 1024 x 1024 float32: 4 MB."""

MOST_TOGETHER = 15_000
"""Faces whose similarities are held at once: 900 MB. Others than those that hang together are never held."""

_KMEANS_STARTS = 10
"""Of which the best is taken: one alone may begin with two centres in one person."""

_LEAST_FOR_HDBSCAN = 3
"""Faces; of fewer it finds no group, because it never takes everything for one."""


class Method(enum.StrEnum):
    """How faces are grouped.

    HDBSCAN needs no threshold, and finds no group where all faces are one person's. K-means is told how many groups
    there are, and puts every face into one.
    """

    AGGLOMERATIVE = "agglomerative"
    HDBSCAN = "hdbscan"
    KMEANS = "kmeans"


class CannotCluster(ValueError):
    """These faces cannot be grouped so; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """What is to be joined: single faces, and groups of faces that stay together.

    Args:
        sums: (n, d) float32, of each group's unit vectors.
        counts: (n,) int64, how many faces each has, 1 and up.
        fixed: (n,) bool, groups of which no two are ever joined, because somebody said what they are.

    Raises:
        InvalidArray: for arrays of another shape or type.
    """

    sums: Vectors
    counts: NDArray[np.int64]
    fixed: NDArray[np.bool_]

    def __post_init__(self) -> None:
        require_array("sums", self.sums, shape=(None, None), dtype=np.float32)
        require_array("counts", self.counts, shape=(len(self.sums),), dtype=np.int64)
        require_array("fixed", self.fixed, shape=(len(self.sums),), dtype=np.bool_)

    @classmethod
    def of_faces(cls, vectors: Vectors) -> Groups:
        """Every face for itself; (n, d) float32 of unit length."""
        return cls(vectors, np.ones(len(vectors), np.int64), np.zeros(len(vectors), np.bool_))

    def __len__(self) -> int:
        return len(self.sums)

    def only(self, numbers: NDArray[np.int64]) -> Groups:
        """Some of them."""
        return Groups(self.sums[numbers], self.counts[numbers], self.fixed[numbers])

    def means(self) -> Vectors:
        """(n, d) float32: the product of two of them is the mean similarity of a face of one to a face of the other."""
        return np.asarray(self.sums / self.counts[:, None], np.float32)


def cluster(
    vectors: Vectors,
    *,
    threshold: float,
    method: Method = Method.AGGLOMERATIVE,
    count: int | None = None,
    seed: int = 0,
) -> Labels:
    """Groups faces.

    Args:
        vectors: (n, d) float32 of unit length, all of one model pack.
        threshold: similarity from which faces are one person's, -1..1; the other methods have no use for it.
        method: how.
        count: into how many groups. K-means needs it; agglomerative stops there instead of at the threshold.
        seed: of k-means, which begins at random.

    Returns:
        (n,) int64: a number for each face, equal for faces of one group, from 0 for the largest group; `ALONE` for a
        face that no other one is with.

    Raises:
        CannotCluster: when the count is missing, out of place, or not within 1 to the number of faces; or when too
            many faces hang together.
        InvalidArray: for an array of another shape or type.
    """
    require_array("vectors", vectors, shape=(None, None), dtype=np.float32)
    require_count(method, count)
    if len(vectors) == 0:
        return np.empty(0, np.int64)
    if count is not None and not 1 <= count <= len(vectors):
        raise CannotCluster(f"groups: expected 1 to {len(vectors):,}, as so many faces were found, got {count:,}")
    if method is Method.KMEANS and count is not None:
        return numbered(_kmeans(vectors, count, seed))
    if method is Method.HDBSCAN:
        return numbered(_hdbscan(vectors))
    groups = Groups.of_faces(vectors)
    return numbered(joined(groups, threshold) if count is None else _joined(groups, -math.inf, count))


def require_count(method: Method, count: int | None) -> None:
    """Refuses a number of groups where none is wanted, and its lack where one is; before minutes go into faces.

    Raises:
        CannotCluster: see `cluster`.
    """
    if method is Method.KMEANS and count is None:
        raise CannotCluster("k-means needs to be told how many groups there are.")
    if method is Method.HDBSCAN and count is not None:
        raise CannotCluster("HDBSCAN finds out itself how many groups there are, and cannot be told.")


def numbered(labels: Labels) -> Labels:
    """The same groups, numbered from 0, the largest first, of equal ones that of the earliest face; see `cluster`.

    Args:
        labels: (n,) int64, equal for faces of one group; `ALONE` for those without one.
    """
    found, firsts, where, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    belongs = (sizes > 1) & (found != ALONE)
    order = np.lexsort((firsts, -sizes, ~belongs))
    numbers = np.empty(len(found), np.int64)
    numbers[order] = np.arange(len(found))
    return np.where(belongs, numbers, ALONE)[where]


def joined(groups: Groups, threshold: float) -> Labels:
    """Joins the two groups that are most alike on average, again and again, while two reach a threshold.

    Two groups can only be joined where a face of one is like a face of the other; so whatever hangs together by such
    pairs is looked at by itself, and the result is the same.

    Args:
        groups: what there is.
        threshold: least mean similarity, -1..1.

    Returns:
        (n,) int64, the same number for groups that are one now.

    Raises:
        CannotCluster: when more than `MOST_TOGETHER` groups hang together.
    """
    labels = np.arange(len(groups), dtype=np.int64)
    parts = _hanging_together(groups.means(), threshold)
    order = np.argsort(parts, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(parts[order])) + 1):
        if len(part) > 1:
            labels[part] = part[_joined(groups.only(part), threshold, 1)]
    return labels


def _joined(groups: Groups, threshold: float, least: int) -> Labels:
    """`joined` of everything at once, down to so many groups; each is labelled by the place of one of them."""
    if len(groups) > MOST_TOGETHER:
        raise CannotCluster(
            f"{len(groups):,} faces hang together, and at most {MOST_TOGETHER:,} can be compared at once. "
            "Raise the threshold, or take fewer faces."
        )
    means, counts = groups.means(), groups.counts.astype(np.float32)
    similarity = means @ means.T
    # Of two groups that must not be joined. It stays with whatever either of them is joined to: a mean with it is it.
    similarity[np.ix_(groups.fixed, groups.fixed)] = -np.inf
    np.fill_diagonal(similarity, -np.inf)
    nearest, best = similarity.argmax(axis=1), similarity.max(axis=1)
    labels = np.arange(len(groups), dtype=np.int64)
    for _ in range(len(groups) - least):
        one = int(best.argmax())
        if not (best[one] >= threshold and np.isfinite(best[one])):
            break
        other = int(nearest[one])
        weights = counts[[one, other], None]
        mean = (weights * similarity[[one, other]]).sum(axis=0) / weights.sum()
        mean[[one, other]] = -np.inf
        similarity[one], similarity[:, one] = mean, mean
        similarity[other], similarity[:, other] = -np.inf, -np.inf
        counts[one] += counts[other]
        labels[labels == other] = one
        # A mean is not above the greater of two: whoever is nearest to a third stays the nearest.
        stale = np.flatnonzero((nearest == one) | (nearest == other))
        stale = np.append(stale, one)
        nearest[stale], best[stale] = similarity[stale].argmax(axis=1), similarity[stale].max(axis=1)
    return labels


def _hanging_together(means: Vectors, threshold: float) -> Labels:
    """(n,) int64, equal for what a chain of similar pairs connects."""
    # Imported where it is used: it takes 0.3 s, which every process would wait for and few need.
    from scipy.sparse import coo_array, csgraph

    parts = np.arange(len(means), dtype=np.int64)
    for top in range(0, len(means), BLOCK_ROWS):
        for left in range(top, len(means), BLOCK_ROWS):
            rows, columns = np.nonzero(means[top : top + BLOCK_ROWS] @ means[left : left + BLOCK_ROWS].T >= threshold)
            ends = parts[rows + top], parts[columns + left]
            pairs = coo_array((np.ones(len(rows), np.bool_), ends), shape=(len(means), len(means)))
            parts = csgraph.connected_components(pairs, directed=False)[1][parts].astype(np.int64)
    return parts


def _kmeans(vectors: Vectors, count: int, seed: int) -> Labels:
    # Imported where it is used: it takes a second, and web processes have no use for it.
    from sklearn.cluster import KMeans

    with warnings.catch_warnings():
        # Of faces that are there twice, so that there are fewer groups than were asked for: that is seen anyway.
        warnings.simplefilter("ignore")
        found = KMeans(n_clusters=count, n_init=_KMEANS_STARTS, random_state=seed).fit_predict(vectors)
    return np.asarray(found, np.int64)


def _hdbscan(vectors: Vectors) -> Labels:
    from sklearn.cluster import HDBSCAN

    if len(vectors) < _LEAST_FOR_HDBSCAN:
        return np.full(len(vectors), ALONE, np.int64)
    # Between unit vectors the squared distance is 2 - 2 * similarity: the order is the same.
    return np.asarray(HDBSCAN(min_cluster_size=2, copy=True).fit_predict(vectors), np.int64)
