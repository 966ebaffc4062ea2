"""The pictures that are kept of samples and events: whose face is in the middle of them."""

from __future__ import annotations

from collections.abc import Iterable

from recognition.vision.pipeline import SAMPLE_CROP, Crop
from recognition.vision.types import BoundingBox, DetectedFace, ImageBgr

IN_THE_MIDDLE_IOU = 0.3
"""Two detectors draw the same face differently, and none as the square that the picture was cut by: a face of three
by four overlaps that square by 0.75. Somebody beside it, a face's width away, does not overlap at all."""


def central_face(
    faces: Iterable[DetectedFace], image_bgr: ImageBgr, *, kept: Crop = SAMPLE_CROP
) -> DetectedFace | None:
    """The face that a kept picture was cut around.

    Args:
        faces: all that were found in it.
        image_bgr: the picture, (height, width, 3) uint8.
        kept: how it was cut.

    Returns:
        None where no face is in the middle.
    """
    height, width = image_bgr.shape[:2]
    half = min(height, width) / kept.context / 2
    middle = BoundingBox(width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
    near = [face for face in faces if face.box.iou(middle) >= IN_THE_MIDDLE_IOU]
    return max(near, key=lambda face: face.box.iou(middle), default=None)
