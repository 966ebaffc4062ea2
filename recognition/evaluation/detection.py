"""Detectors side by side: how far their landmarks are from each other's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recognition.vision.types import LANDMARK_COUNT, require_array


def landmark_errors(landmarks: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float64]]:
    """How far each detector's landmarks are from the mean of all other detectors'.

    Nobody marked these images by hand, so there is no truth to measure against: a detector is held against what the
    others agree on. Two that err alike flatter each other, and of two detectors alone both have the same error.

    Args:
        landmarks: of each detector (n, 5, 2) float32, one face an image; NaN where it found none.

    Returns:
        Of each detector (n,) float64, the mean distance of the five points over the eye distance; NaN where any
        detector found no face. All NaN for a single detector.

    Raises:
        InvalidArray: for an array of another shape or type.
    """
    for name, points in landmarks.items():
        require_array(name, points, shape=(None, LANDMARK_COUNT, 2), dtype=np.float32)
    errors = {}
    for name, points in landmarks.items():
        others = [other for key, other in landmarks.items() if key != name]
        if not others:
            errors[name] = np.full(len(points), np.nan)
            continue
        expected = np.mean(np.stack(others).astype(np.float64), axis=0)
        eye_distance = np.linalg.norm(expected[:, 0] - expected[:, 1], axis=1)
        errors[name] = np.linalg.norm(points - expected, axis=2).mean(axis=1) / np.maximum(eye_distance, 1e-6)
    return errors
