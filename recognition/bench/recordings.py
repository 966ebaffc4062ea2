"""What the cameras of the benchmark see: a face that moves over a background, as recorded JPEG frames."""

from __future__ import annotations

import math

import cv2
import numpy as np

from recognition.vision import images
from recognition.vision.types import ImageBgr

WIDTH_PX, HEIGHT_PX = 640, 480

FRAMES_PER_S = 30

FRAMES = 150
"""Frames of one recording, five seconds; the last leads to the first."""

JPEG_QUALITY = 85
"""What the live page asks its browser for."""

PERSON_SECONDS = 5.0
"""How long one person stands before a camera."""

BACKGROUND_GRAIN = 40
"""Grain of the background in pixels: detail enough that a frame has the size of a webcam's."""


def record(portrait_bgr: ImageBgr, number: int) -> tuple[bytes, ...]:
    """The frames of one person passing a camera.

    Args:
        portrait_bgr: (h, w, 3) uint8, smaller than a frame; the face in its middle.
        number: of the recording; each begins elsewhere on the path and has another background.

    Returns:
        JPEG files of 640 x 480 pixels.
    """
    background = _background(number)
    return tuple(
        images.encode_jpeg(_frame(background, portrait_bgr, (index + number * FRAMES // 3) % FRAMES), JPEG_QUALITY)
        for index in range(FRAMES)
    )


def _frame(background: ImageBgr, portrait_bgr: ImageBgr, step: int) -> ImageBgr:
    """The portrait at one step of a closed path, a lying eight, at most nine pixels from step to step."""
    angle = 2 * math.pi * step / FRAMES
    height, width = portrait_bgr.shape[:2]
    left = round((WIDTH_PX - width) / 2 * (1 + math.sin(angle)))
    top = round((HEIGHT_PX - height) / 2 * (1 + math.sin(2 * angle) / 2))
    frame = background.copy()
    frame[top : top + height, left : left + width] = portrait_bgr
    return frame


def _background(number: int) -> ImageBgr:
    random = np.random.default_rng(number)
    grain = random.integers(60, 180, (HEIGHT_PX // BACKGROUND_GRAIN, WIDTH_PX // BACKGROUND_GRAIN, 3), np.uint8)
    return np.asarray(cv2.resize(grain, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC), np.uint8)
