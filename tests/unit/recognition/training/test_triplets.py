from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.training import triplets
from recognition.training.triplets import MARGIN, Triplets
from recognition.vision.errors import InvalidArray


def at(*degrees: float) -> NDArray[np.float32]:
    """Unit vectors in the plane; their squared distance is 2 - 2 cos of the angle between them."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def people(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


ONE = Triplets(people(0), people(1), people(2))
"""Anchor, positive and negative, in that order."""


def test_nothing_has_no_triplets_and_no_loss() -> None:
    empty = np.empty((0, 2), np.float32)
    found = triplets.semi_hard(empty, people())
    assert (len(found), triplets.loss(empty, found)) == (0, 0.0)


@pytest.mark.parametrize(
    ("positive", "negative", "expected", "is_semi_hard"),
    [
        # Squared distances at 0, 60, 90 and 180 degrees from the anchor are 0, 1, 2 and 4.
        pytest.param(60, 180, 0.0, False, id="easy: 1 - 4 + 0.2 is below 0"),
        pytest.param(60, 62, 1 - 1.06106 + 0.2, True, id="semi-hard: 1.06106 is beyond 1, by less than 0.2"),
        pytest.param(60, 0, 1 - 0 + 0.2, False, id="hard: the other person is nearer"),
        pytest.param(90, 60, 2 - 1 + 0.2, False, id="hard: the other person is nearer, by 1"),
        pytest.param(0, 0, 0.2, False, id="all the same: the margin itself"),
        pytest.param(0, 30, 0.0, False, id="zero: 0.26795 is beyond 0 by more than the margin"),
    ],
)
def test_the_loss_of_one_triplet(positive: float, negative: float, expected: float, is_semi_hard: bool) -> None:
    vectors = at(0, positive, negative)
    assert triplets.losses(vectors, ONE) == pytest.approx([expected], abs=1e-5)
    assert triplets.loss(vectors, ONE) == pytest.approx(expected, abs=1e-5)
    found = triplets.semi_hard(vectors, people(7, 7, 8))
    assert ((0, 1, 2) in as_set(found)) is is_semi_hard


def as_set(found: Triplets) -> set[tuple[int, int, int]]:
    return set(zip(found.anchors.tolist(), found.positives.tolist(), found.negatives.tolist(), strict=True))


def test_the_mean_is_over_triplets_with_a_loss() -> None:
    vectors = at(0, 60, 62, 180)
    both = Triplets(people(0, 0), people(1, 1), people(2, 3))
    assert triplets.loss(vectors, both) == pytest.approx(1 - 1.06106 + 0.2, abs=1e-5)


def test_the_mean_of_all_is_over_easy_triplets_too() -> None:
    # Of the anchors 0 and 60, with the negatives 62 and 180: 1 from each other: 1.06106 and 4, 0.00122 and 3.
    each = [1 - 1.06106 + 0.2, 0.0, 1 - 0.00122 + 0.2, 0.0]
    found = triplets.mean_loss_of_all(at(0, 60, 62, 180), people(1, 1, 2, 3))
    assert found == pytest.approx(sum(each) / 4, abs=1e-4)
    assert triplets.mean_loss_of_all(np.empty((0, 2), np.float32), people()) == 0.0
    assert triplets.mean_loss_of_all(at(0, 60), people(1, 2)) == 0.0


def test_people_with_one_image_are_others_only() -> None:
    assert len(triplets.semi_hard(at(0, 5, 10), people(1, 2, 3))) == 0


@given(
    st.lists(st.tuples(st.integers(0, 359), st.integers(0, 3)), min_size=1, max_size=8),
    st.floats(0.01, 1.0),
)
def test_mining_finds_just_what_the_definition_says(drawn: list[tuple[int, int]], margin: float) -> None:
    vectors, owners = at(*(angle for angle, _ in drawn)), people(*(owner for _, owner in drawn))
    distances = triplets.squared_distances(vectors)
    expected = {
        (a, p, n)
        for a in range(len(drawn))
        for p in range(len(drawn))
        for n in range(len(drawn))
        if a != p and owners[a] == owners[p] != owners[n] and 0.0 < distances[a, n] - distances[a, p] <= margin
    }
    found = triplets.semi_hard(vectors, owners, margin)
    assert as_set(found) == expected
    each = triplets.losses(vectors, found, margin)
    assert ((each >= 0.0) & (each < margin)).all()


def test_arrays_of_another_shape_are_refused() -> None:
    with pytest.raises(InvalidArray):
        triplets.semi_hard(at(0, 1), people(1, 2, 3))
    assert MARGIN == 0.2
