from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.decision.unknowns import LOOSE, Faces, Placement, likeness, placed
from recognition.vision.errors import InvalidArray

THRESHOLD = 0.5


def faces(*seen: tuple[int, int, float], kept: frozenset[int] = frozenset()) -> Faces:
    """Faces by number, cluster and direction in degrees; 60 degrees apart is the threshold."""
    radians = np.radians([degrees for _, _, degrees in seen])
    return Faces(
        np.array([number for number, _, _ in seen], np.int64),
        np.array([cluster for _, cluster, _ in seen], np.int64),
        np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32).reshape(len(seen), 2),
        kept,
    )


def test_without_faces_nothing_changes() -> None:
    assert placed(faces(), THRESHOLD) == Placement()


def test_new_faces_become_people_to_be_also_one_by_itself() -> None:
    found = placed(faces((1, LOOSE, 0), (2, LOOSE, 180), (3, LOOSE, 10)), THRESHOLD)
    assert found == Placement(new=((1, 3), (2,)))


def test_a_new_face_joins_whom_it_is_like() -> None:
    found = placed(faces((1, 7, 0), (2, 8, 180), (3, LOOSE, 20)), THRESHOLD)
    assert found == Placement(joins={3: 7})


def test_groups_that_nobody_touched_may_be_one_and_the_oldest_stays() -> None:
    found = placed(faces((1, 7, 0), (2, 8, 20), (3, LOOSE, 10)), THRESHOLD)
    assert found == Placement(joins={3: 7}, merged={8: 7})


def test_what_nobody_touched_goes_to_what_somebody_decided_on() -> None:
    found = placed(faces((1, 7, 0), (2, 8, 20), kept=frozenset({8})), THRESHOLD)
    assert found == Placement(merged={7: 8})


def test_two_that_somebody_split_are_never_joined_again() -> None:
    split = faces((1, 7, 0), (2, 8, 2), (3, LOOSE, 1.9), kept=frozenset({7, 8}))
    assert placed(split, THRESHOLD) == Placement(joins={3: 8})


def test_a_group_takes_a_face_by_its_mean() -> None:
    # 30 degrees from one of its faces and 85 from the other: 0.48 on average.
    found = placed(faces((1, 7, 0), (2, 7, 55), (3, LOOSE, 85)), THRESHOLD)
    assert found == Placement(new=((3,),))


def random_faces(seed: int, count: int) -> Faces:
    rng = np.random.default_rng(seed)
    vectors: NDArray[np.float64] = rng.normal(size=(count, 2))
    clusters = rng.integers(0, 6, count).astype(np.int64)
    kept = frozenset(int(number) for number in rng.permutation(np.arange(1, 6))[: rng.integers(0, 6)])
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return Faces(np.arange(100, 100 + count), clusters, unit, kept)


@given(st.integers(0, 2**32 - 1), st.integers(0, 30), st.floats(-1, 1))
def test_whatever_comes_no_decision_is_undone_and_every_face_has_one_place(
    seed: int, count: int, threshold: float
) -> None:
    there = random_faces(seed, count)
    found = placed(there, threshold)
    loose = set(there.numbers[there.clusters == LOOSE].tolist())
    in_new = [number for numbers in found.new for number in numbers]
    assert sorted([*found.joins, *in_new]) == sorted(loose)
    assert not found.merged.keys() & there.kept
    assert not found.merged.keys() & {*found.merged.values(), *found.joins.values()}
    assert {*found.merged.values(), *found.joins.values()} <= set(there.clusters.tolist()) - {LOOSE}
    again = placed(
        Faces(
            there.numbers,
            np.array([after(found, *face) for face in zip(there.numbers, there.clusters, strict=True)], np.int64),
            there.vectors,
            there.kept,
        ),
        threshold,
    )
    # A second run finds everything in its place; rounding may decide where a mean is at the threshold itself.
    assert not again.joins
    assert not again.new


def after(found: Placement, number: int, cluster: int) -> int:
    for place, numbers in enumerate(found.new, start=1000):
        if number in numbers:
            return place
    cluster = found.joins.get(number, cluster)
    return found.merged.get(cluster, cluster)


def test_arrays_of_another_shape_or_type_are_refused() -> None:
    with pytest.raises(InvalidArray, match="clusters: expected"):
        Faces(np.zeros(2, np.int64), np.zeros(1, np.int64), np.zeros((2, 2), np.float32))


def test_the_face_between_the_others_is_most_like_them_and_two_are_like_each_other() -> None:
    vectors = faces((1, 7, 0), (2, 7, 20), (3, 7, 60)).vectors
    cosines = {degrees: np.cos(np.radians(degrees)) for degrees in (20, 40, 60)}
    expected = [cosines[20] + cosines[60], cosines[20] + cosines[40], cosines[40] + cosines[60]]
    assert likeness(vectors) == pytest.approx(np.array(expected) / 2)
    assert likeness(vectors[:2]) == pytest.approx([cosines[20]] * 2)
    assert likeness(vectors[:1]) == pytest.approx([0.0])
