from __future__ import annotations

import numpy as np
import pytest

from recognition.evaluation import discard
from recognition.evaluation.discard import DiscardPoint
from recognition.evaluation.error_rates import NoScores
from recognition.vision.errors import InvalidArray

ONE, OTHER = [1.0, 0.0], [0.0, 1.0]


def curve(vectors: list[list[float]], people: list[int], qualities: list[int], *shares: float) -> list[DiscardPoint]:
    return list(
        discard.curve(
            np.array(vectors, np.float32).reshape(-1, 2),
            np.array(people, np.int64),
            np.array(qualities, np.int64),
            threshold=0.5,
            shares=shares,
        )
    )


@pytest.mark.parametrize(("vectors", "people"), [([], []), ([ONE, OTHER], [1, 2])])
def test_without_two_images_of_one_person_there_is_no_curve(vectors: list[list[float]], people: list[int]) -> None:
    with pytest.raises(NoScores):
        curve(vectors, people, [50] * len(people), 0.0)


def test_the_pairs_of_the_worst_images_go_first() -> None:
    # Person 1 has three images, of which the last, and worst, is like none of the others.
    points = curve([ONE, ONE, OTHER, ONE, ONE], [1, 1, 1, 2, 2], [90, 80, 10, 70, 60], 0.0, 0.2, 0.4)
    assert points == [
        DiscardPoint(0.0, 10, mated=4, missed=2),
        DiscardPoint(0.2, 60, mated=2, missed=0),
        DiscardPoint(0.4, 70, mated=1, missed=0),
    ]
    assert [point.fnmr for point in points] == [0.5, 0.0, 0.0]


def test_a_score_that_foretells_nothing_lowers_nothing() -> None:
    points = curve([ONE, ONE, OTHER, ONE, ONE], [1, 1, 1, 2, 2], [10, 20, 90, 70, 60], 0.0, 0.2)
    assert [point.fnmr for point in points] == [0.5, 1 / 2]


def test_without_any_image_left_nothing_is_missed() -> None:
    assert curve([ONE, OTHER], [1, 1], [5, 6], 1.0) == [DiscardPoint(1.0, 0, mated=0, missed=0)]
    assert DiscardPoint(1.0, 0, mated=0, missed=0).fnmr == 0.0


def test_the_order_of_the_people_changes_nothing() -> None:
    one_way = curve([ONE, OTHER, ONE, ONE], [1, 1, 2, 2], [1, 2, 3, 4], 0.0, 0.25)
    other_way = curve([ONE, ONE, OTHER, ONE], [2, 1, 1, 2], [3, 1, 2, 4], 0.0, 0.25)
    assert one_way == other_way


def test_an_array_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidArray, match="qualities"):
        discard.curve(
            np.ones((2, 2), np.float32),
            np.zeros(2, np.int64),
            np.ones(2, np.float64),
            threshold=0.5,
        )
