from __future__ import annotations

import numpy as np
import pytest

from recognition.evaluation import detection
from recognition.vision.errors import InvalidArray

FACE = np.array([[0, 0], [10, 0], [5, 5], [1, 9], [9, 9]], np.float32)
UNSEEN = np.full((5, 2), np.nan, np.float32)


def seen(*moved: float | None) -> np.ndarray:
    """One face an image, moved to the right; None where none was found."""
    return np.stack([UNSEEN if x is None else FACE + np.array([x, 0], np.float32) for x in moved])


@pytest.mark.parametrize(
    ("landmarks", "errors"),
    [
        ({}, {}),
        ({"a": seen(0, 0)}, {"a": [np.nan, np.nan]}),
        ({"a": seen(0), "b": seen(2)}, {"a": [0.2], "b": [0.2]}),
        ({"a": seen(0), "b": seen(0), "c": seen(3)}, {"a": [0.15], "b": [0.15], "c": [0.3]}),
        ({"a": seen(0, 0), "b": seen(0, None)}, {"a": [0, np.nan], "b": [0, np.nan]}),
    ],
)
def test_a_detector_is_held_against_the_mean_of_the_others(
    landmarks: dict[str, np.ndarray], errors: dict[str, list[float]]
) -> None:
    found = detection.landmark_errors(landmarks)
    assert {name: each.tolist() for name, each in found.items()} == {
        name: pytest.approx(each, nan_ok=True) for name, each in errors.items()
    }


def test_refuses_landmarks_of_another_shape() -> None:
    with pytest.raises(InvalidArray, match="b: expected"):
        detection.landmark_errors({"a": seen(0), "b": np.zeros((1, 4, 2), np.float32)})
