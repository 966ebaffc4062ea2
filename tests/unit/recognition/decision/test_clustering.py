from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.cluster import hierarchy

from recognition.decision import clustering
from recognition.decision.clustering import ALONE, CannotCluster, Groups, Method
from recognition.vision.errors import InvalidArray

SEEDS = st.integers(0, 2**32 - 1)


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def at_degrees(*angles: float) -> NDArray[np.float32]:
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def of_people(*counts: int, seed: int = 0) -> NDArray[np.float32]:
    """Faces of people who are nothing alike, the first person's first."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(np.eye(len(counts), 16), counts, axis=0)
    return unit(centres + rng.normal(scale=0.05, size=centres.shape))


def partition(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(labels[:, None] == labels, np.bool_)


@pytest.mark.parametrize("method", Method)
def test_no_faces_are_no_groups(method: Method) -> None:
    count = 2 if method is Method.KMEANS else None
    assert len(clustering.cluster(np.empty((0, 4), np.float32), threshold=0.5, method=method, count=count)) == 0


@pytest.mark.parametrize(
    ("method", "count"), [(Method.AGGLOMERATIVE, None), (Method.HDBSCAN, None), (Method.KMEANS, 1)]
)
def test_a_single_face_is_alone(method: Method, count: int | None) -> None:
    found = clustering.cluster(of_people(1), threshold=0.5, method=method, count=count)
    assert found.tolist() == [ALONE]


@pytest.mark.parametrize(
    ("method", "count"),
    [(Method.AGGLOMERATIVE, None), (Method.AGGLOMERATIVE, 4), (Method.KMEANS, 4)],
)
def test_people_who_are_nothing_alike_are_told_apart_the_largest_group_first(method: Method, count: int | None) -> None:
    found = clustering.cluster(of_people(3, 1, 5, 3), threshold=0.5, method=method, count=count)
    assert found.tolist() == [1, 1, 1, ALONE, 0, 0, 0, 0, 0, 2, 2, 2]


def test_hdbscan_finds_the_people_and_needs_no_threshold() -> None:
    found = clustering.cluster(of_people(3, 5, 3), threshold=1.0, method=Method.HDBSCAN)
    assert found.tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 2, 2, 2]


def test_a_chain_of_pairs_that_are_alike_is_not_one_person() -> None:
    # Neighbours are 40 degrees apart, cosine 0.77; the two pairs of them 0.15 on average.
    found = clustering.cluster(at_degrees(0, 40, 80.5, 120.5), threshold=0.7)
    assert found.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(("degrees", "labels"), [(59.9, [0, 0]), (60.1, [ALONE, ALONE])])
def test_two_faces_are_one_person_from_the_threshold_on(degrees: float, labels: list[int]) -> None:
    assert clustering.cluster(at_degrees(0, degrees), threshold=0.5).tolist() == labels


@given(SEEDS, st.integers(2, 40), st.floats(-0.5, 0.95))
def test_agglomerative_is_average_linkage(seed: int, faces: int, threshold: float) -> None:
    vectors = unit(np.random.default_rng(seed).normal(size=(faces, 3)))
    tree = hierarchy.linkage(vectors.astype(np.float64), "average", metric="cosine")
    expected = hierarchy.fcluster(tree, 1.0 - threshold, "distance").astype(np.int64)
    found = clustering.joined(Groups.of_faces(vectors), threshold)
    # Where a join is at the threshold itself, rounding decides.
    if np.abs(tree[:, 2] - (1.0 - threshold)).min() > 1e-5:
        assert np.array_equal(partition(found), partition(expected))
    count = 1 + seed % faces
    into = clustering.cluster(vectors, threshold=threshold, count=count)
    assert len(set(into.tolist()) - {ALONE}) + (into == ALONE).sum() == count


@given(SEEDS, st.integers(1, 30))
def test_it_makes_no_difference_what_is_compared_at_a_time(seed: int, faces: int) -> None:
    vectors = unit(np.random.default_rng(seed).normal(size=(faces, 3)))
    whole = clustering.joined(Groups.of_faces(vectors), 0.6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clustering, "BLOCK_ROWS", 4)
        assert np.array_equal(clustering.joined(Groups.of_faces(vectors), 0.6), whole)


@given(SEEDS, st.integers(2, 30), st.integers(2, 6))
def test_fixed_groups_take_faces_in_and_are_never_joined(seed: int, faces: int, fixed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit(rng.normal(size=(faces + fixed, 2)))
    groups = Groups(vectors, np.ones(len(vectors), np.int64), np.arange(len(vectors)) < fixed)
    found = clustering.joined(groups, -1.0)
    assert len(set(found[:fixed].tolist())) == fixed
    # From -1 on everything is alike, so that everybody is with one of them.
    assert set(found.tolist()) == set(found[:fixed].tolist())


def test_a_group_weighs_as_much_as_its_faces() -> None:
    # Nine faces at 0 degrees and one at 60 are 0.5 * (9 + 1) / 10 like a face at 60; alone that one would be 1.
    vectors = at_degrees(0, 60)
    heavy = Groups(
        np.stack([9 * vectors[0] + vectors[1], vectors[1]]), np.array([10, 1], np.int64), np.zeros(2, np.bool_)
    )
    assert len(set(clustering.joined(heavy, 0.54).tolist())) == 1
    assert len(set(clustering.joined(heavy, 0.56).tolist())) == 2


def test_the_same_face_many_times_is_one_person() -> None:
    faces = np.repeat(at_degrees(10), 5, axis=0)
    assert set(clustering.cluster(faces, threshold=0.9).tolist()) == {0}
    assert set(clustering.cluster(faces, threshold=0.9, method=Method.KMEANS, count=3).tolist()) == {0}


@pytest.mark.parametrize(
    ("method", "count", "why"),
    [
        (Method.KMEANS, None, "k-means needs to be told"),
        (Method.HDBSCAN, 2, "cannot be told"),
        (Method.KMEANS, 0, "expected 1 to 3"),
        (Method.AGGLOMERATIVE, 4, "expected 1 to 3, as so many faces were found, got 4"),
    ],
)
def test_a_count_that_cannot_be_is_refused(method: Method, count: int | None, why: str) -> None:
    with pytest.raises(CannotCluster, match=why):
        clustering.cluster(of_people(3), threshold=0.5, method=method, count=count)


def test_more_faces_than_can_be_compared_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "MOST_TOGETHER", 3)
    assert clustering.cluster(of_people(3, 3), threshold=0.5).tolist() == [0, 0, 0, 1, 1, 1]
    with pytest.raises(CannotCluster, match="4 faces hang together, and at most 3"):
        clustering.cluster(of_people(4, 3), threshold=0.5)


def test_vectors_of_another_shape_or_type_are_refused() -> None:
    with pytest.raises(InvalidArray, match="vectors: expected"):
        clustering.cluster(np.zeros(3, np.float32), threshold=0.5)
    with pytest.raises(InvalidArray, match="counts: expected"):
        Groups(of_people(2), np.ones(1, np.int64), np.zeros(2, np.bool_))


def test_nobody_waits_for_what_few_methods_need() -> None:
    program = (
        "import sys, recognition.decision.clustering; sys.exit(any(m in sys.modules for m in ('sklearn', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
