"""Videos for Chromium's fake camera: faces that move a little, scene after scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 640, 480
FACE_SIDE_PX = 300
SWAY_PX = 8
FRAMES_A_SECOND = 30
BACKGROUND_GREY = 96
PAUSE_S = 1.5
"""Nobody is in view between scenes, longer than a track survives: the next people are new ones."""


def video(target: Path, scenes: Sequence[Sequence[NDArray[np.uint8]]], *, seconds_a_scene: float) -> Path:
    """Writes a Motion JPEG file that Chromium plays in a loop.

    Args:
        target: file to write, ending in .mjpeg.
        scenes: the pictures of each scene, (h, w, 3) BGR, one or two beside each other.
        seconds_a_scene: how long each is shown.
    """
    with target.open("wb") as file:
        for scene in scenes:
            for _ in range(round(PAUSE_S * FRAMES_A_SECOND)):
                file.write(_jpeg(_empty()))
            faces = [np.asarray(cv2.resize(picture, (FACE_SIDE_PX, FACE_SIDE_PX)), np.uint8) for picture in scene]
            for number in range(round(seconds_a_scene * FRAMES_A_SECOND)):
                file.write(_jpeg(_frame(faces, number)))
    return target


def still(face: NDArray[np.uint8]) -> bytes:
    """One frame of a film: a face of `FACE_SIDE_PX` that stays in the middle."""
    frame = _empty()
    x, y = (WIDTH - FACE_SIDE_PX) // 2, (HEIGHT - FACE_SIDE_PX) // 2
    frame[y : y + FACE_SIDE_PX, x : x + FACE_SIDE_PX] = face
    return _jpeg(frame)


def _frame(faces: Sequence[NDArray[np.uint8]], number: int) -> NDArray[np.uint8]:
    frame = _empty()
    room = WIDTH // len(faces)
    for place, face in enumerate(faces):
        sway = round(SWAY_PX * math.sin(2 * math.pi * number / FRAMES_A_SECOND))
        x = place * room + (room - FACE_SIDE_PX) // 2 + sway
        y = (HEIGHT - FACE_SIDE_PX) // 2
        frame[y : y + FACE_SIDE_PX, x : x + FACE_SIDE_PX] = face
    return frame


def _empty() -> NDArray[np.uint8]:
    return np.full((HEIGHT, WIDTH, 3), BACKGROUND_GREY, np.uint8)


def _jpeg(frame: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    return data.tobytes()
