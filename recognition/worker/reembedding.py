"""Embeds faces by another model pack, from the pictures that are kept of them."""

from __future__ import annotations

from recognition.vision import images
from recognition.vision.errors import ImageError
from recognition.vision.pipeline import SAMPLE_CROP, Crop, FacePipeline
from recognition.vision.types import BoundingBox, Embedding, ImageBgr

IN_THE_MIDDLE_IOU = 0.3
"""Two detectors draw the same face differently, and none as the square that the picture was cut by: a face of three
by four overlaps that square by 0.75. Somebody beside it, a face's width away, does not overlap at all."""


def embedding_of(jpeg: bytes, pipeline: FacePipeline, *, kept: Crop = SAMPLE_CROP) -> Embedding | None:
    """The face that a kept picture was cut around.

    Args:
        jpeg: picture of a sample, or of an event.
        pipeline: of the pack that embeds it.
        kept: how it was cut.

    Returns:
        Its vector; None where the pack sees no face in the middle, or the picture cannot be read.
    """
    try:
        image_bgr = images.decode(jpeg)
    except ImageError:
        return None
    middle = _middle(image_bgr, kept)
    faces = [face for face in pipeline.find(image_bgr) if face.box.iou(middle) >= IN_THE_MIDDLE_IOU]
    if not faces:
        return None
    (embedded,) = pipeline.embed(image_bgr, [max(faces, key=lambda face: face.box.iou(middle))])
    return embedded.embedding


def _middle(image_bgr: ImageBgr, kept: Crop) -> BoundingBox:
    height, width = image_bgr.shape[:2]
    half = min(height, width) / kept.context / 2
    return BoundingBox(width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
