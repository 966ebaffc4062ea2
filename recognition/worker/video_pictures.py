"""A video's frames with boxes and names drawn into them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from recognition.decision.verdict import Decision
from recognition.live.session import FaceView
from recognition.vision.types import ImageBgr

RECOGNISED, UNKNOWN, UNDECIDED = (40, 160, 40), (200, 60, 40), (120, 120, 120)
"""Colours (red, green, blue), on which white letters can be read."""

LINE_SHARE = 270
"""A line is this part of the frame's height, two pixels at least."""


def annotated(image_bgr: ImageBgr, views: Sequence[FaceView]) -> ImageBgr:
    """The frame with a box for each face, and above it who it is.

    Args:
        image_bgr: (height, width, 3) uint8 in the order blue, green, red.
        views: of the frame, or of the one that was looked at last.

    Returns:
        Of the same shape; the frame itself where there is nothing to draw.
    """
    if not views:
        return image_bgr
    picture = Image.fromarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB))
    draw = ImageDraw.Draw(picture)
    width = max(picture.height // LINE_SHARE, 2)
    font = ImageFont.load_default(size=max(picture.height // 40, 12))
    for view in views:
        text, colour = _said(view)
        box = view.box
        draw.rectangle((box.x_min, box.y_min, box.x_max, box.y_max), outline=colour, width=width)
        left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
        label_y = max(box.y_min - (bottom - top) - 3 * width, 0.0)
        draw.rectangle((box.x_min, label_y, box.x_min + right - left + 3 * width, box.y_min), fill=colour)
        draw.text((box.x_min + width - left, label_y + width - top), text, font=font, fill=(255, 255, 255))
    return np.asarray(cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR), np.uint8)


def _said(view: FaceView) -> tuple[str, tuple[int, int, int]]:
    best = view.leading.best if view.leading else None
    if view.decision is Decision.ACCEPT and best is not None:
        return f"{best.person_name} {best.similarity:.2f}", RECOGNISED
    if view.decision is None:
        return "...", UNDECIDED
    return "unknown", UNKNOWN
