from __future__ import annotations

import numpy as np
import pytest

from benchmarks.peers import compare, measuring
from benchmarks.peers.compare import Row

VECTORS = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0]], np.float32)
ALL = np.ones(3, np.bool_)


def test_vectors_are_compared_by_angle_or_by_distance() -> None:
    by_angle = compare.scores_of(VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True), ALL, by_distance=False)
    by_distance = compare.scores_of(VECTORS, ALL, by_distance=True)

    assert by_angle[0].tolist() == [1.0, 1.0, 0.0]
    assert by_distance[0].tolist() == [0.0, -4.0, -5.0]


@pytest.mark.parametrize("by_distance", [False, True])
def test_an_image_without_a_face_is_like_no_other(by_distance: bool) -> None:
    found = np.array([True, True, False])

    scores = compare.scores_of(VECTORS, found, by_distance=by_distance)

    assert scores[2].max() == scores[:, 2].max() < scores[:2, :2].min()


@pytest.mark.parametrize(
    ("boxes", "chosen"),
    [
        ([[0, 0, 10, 10]], 0),
        ([[0, 0, 10, 10], [40, 40, 60, 60]], 1),
        ([[45, 45, 55, 55], [90, 90, 100, 100]], 0),
    ],
)
def test_the_face_nearest_the_centre_counts(boxes: list[list[float]], chosen: int) -> None:
    assert measuring.nearest_centre(boxes, 100, 100) == chosen


def test_the_table_has_a_row_for_each_peer() -> None:
    row = Row("a peer", 29, 0.985, (0.704, 0.45), 222.0, 230.5, 8.04, 512.3)

    header, _, line = compare.as_table([row]).splitlines()

    assert "TMR at 0.0001 | TMR at 1e-05" in header
    assert line == "| a peer | 29 | 0.9850 | 0.7040 | 0.4500 | 222.0 (230.5) | 8.0 | 512 |"
