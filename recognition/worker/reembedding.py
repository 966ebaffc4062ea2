"""Embeds faces by another model pack, from the pictures that are kept of them."""

from __future__ import annotations

from recognition.vision import images, kept_pictures
from recognition.vision.errors import ImageError
from recognition.vision.pipeline import SAMPLE_CROP, Crop, FacePipeline
from recognition.vision.types import Embedding


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
    face = kept_pictures.central_face(pipeline.find(image_bgr), image_bgr, kept=kept)
    if face is None:
        return None
    (embedded,) = pipeline.embed(image_bgr, [face])
    return embedded.embedding
