"""One portrait in five poses: its face is taken for a rounded surface, turned, and drawn anew."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests import faces
from tests.browser import camera

FRONT, LEFT, RIGHT, UP, DOWN = (0.0, 0.0), (48.0, 0.0), (-48.0, 0.0), (0.0, -54.0), (0.0, 40.0)
"""Turn and nod in degrees. The estimate from five landmarks makes less of them: 25, -29, -12 and 12."""

HALF_WIDTH, HALF_HEIGHT, DEPTH, NOSE = 1.3, 1.7, 1.0, 0.3
"""The surface, in distances between the eyes: half an ellipsoid with a bump for a nose."""

MIDDLE_X, MIDDLE_Y, EYES_APART, NOSE_Y = 154.5, 142.7, 57.9, 2.6
"""Where the face is in the portrait of `camera.FACE_SIDE_PX`, in pixels; the nose below the middle."""

STEPS = 40
"""Of the search for the point of the portrait that is drawn at a pixel; each halves what is missing."""


def video(path: Path, *poses: tuple[float, float], seconds_a_pose: float) -> Path:
    """A film of the poses one after the other, held still; Chromium plays it in a loop."""
    frames = [camera.still(turned(*pose)) for pose in poses]
    with path.open("wb") as file:
        for frame in frames:
            file.write(frame * round(seconds_a_pose * camera.FRAMES_A_SECOND))
    return path


def turned(yaw_degrees: float, pitch_degrees: float) -> NDArray[np.uint8]:
    """The astronaut as a square picture, turned to the image's right and nodding downwards."""
    side = camera.FACE_SIDE_PX
    portrait = cv2.resize(faces.astronaut()[20:240, 110:330], (side, side), interpolation=cv2.INTER_CUBIC)
    rows, columns = np.mgrid[0:side, 0:side]
    drawn_x, drawn_y = (columns - MIDDLE_X) / EYES_APART, (rows - MIDDLE_Y) / EYES_APART
    yaw, pitch = math.radians(yaw_degrees), math.radians(pitch_degrees)
    x, y = drawn_x, drawn_y
    for _ in range(STEPS):
        z = _depth(x, y)
        x = (x + (drawn_x - z * math.sin(yaw)) / math.cos(yaw)) / 2
        y = (y + (drawn_y - z * math.sin(pitch)) / math.cos(pitch)) / 2
    from_x, from_y = (x * EYES_APART + MIDDLE_X).astype(np.float32), (y * EYES_APART + MIDDLE_Y).astype(np.float32)
    drawn = cv2.remap(portrait, from_x, from_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(drawn, np.uint8)


def _depth(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    round_part = np.sqrt(np.clip(1 - (x / HALF_WIDTH) ** 2 - (y / HALF_HEIGHT) ** 2, 0, 1))
    nose = np.exp(-(x**2 + (y - NOSE_Y / EYES_APART) ** 2) / (2 * 0.25**2))
    depth: NDArray[np.float64] = DEPTH * round_part + NOSE * nose
    return depth
