from __future__ import annotations

import numpy as np
import pytest

from recognition.evaluation import tilted
from recognition.evaluation.tilted import Row, Sight
from recognition.vision.types import BoundingBox, DetectedFace, Landmarks
from tests import fakes

GOOD = Sight(2.0, 0.05, 0.9)


class TestRow:
    @pytest.mark.parametrize(
        ("sights", "row"),
        [
            ([], Row(0, 0, 0, 0, 0, 0.0)),
            ([Sight(8.0)], Row(1, 0, 0, 0, 0, 8.0)),
            ([GOOD], Row(1, 1, 1, 1, 1, 2.0)),
            ([Sight(1.0, 0.1, 0.8)], Row(1, 1, 1, 1, 1, 1.0)),  # the limits are good enough
            ([Sight(1.0, 0.11, 0.9), Sight(3.0, 0.05, 0.79)], Row(2, 2, 1, 1, 0, 2.0)),  # each has one of the two
            ([GOOD, GOOD, Sight(50.0, 0.3, 0.1)], Row(3, 3, 2, 2, 2, 2.0)),
        ],
    )
    def test_counts_what_came_of_faces(self, sights: list[Sight], row: Row) -> None:
        assert Row.of(sights) == row


@pytest.mark.parametrize(("moved", "error"), [((0, 0), 0.0), ((3, 4), 0.1), ((-10, 0), 0.2)])
def test_the_landmark_error_is_the_mean_of_five_over_the_eye_distance(moved: tuple[float, float], error: float) -> None:
    true = np.array([[0, 0], [10, 0], [5, 5], [1, 9], [9, 9]], np.float32)
    seen = true.copy()
    seen[4] += moved
    assert tilted.landmark_error(Landmarks(seen), Landmarks(true)) == pytest.approx(error)


NEAR, FAR = fakes.detected(BoundingBox(0, 0, 10, 10)), fakes.detected(BoundingBox(30, 30, 40, 40))


@pytest.mark.parametrize(
    ("faces", "found"),
    [([], None), ([FAR], None), ([FAR, NEAR], NEAR), ([fakes.detected(BoundingBox(0, 0, 9, 9)), NEAR], NEAR)],
)
def test_a_find_elsewhere_is_not_the_face(faces: list[DetectedFace], found: DetectedFace | None) -> None:
    assert tilted.nearest(faces, NEAR, least_iou=0.3) is found
