"""The largest face of a photo with pictures of where it was found and how it was aligned; nothing is stored."""

from __future__ import annotations

import dataclasses

from recognition.services import search
from recognition.vision import alignment, geometry, images
from recognition.vision.types import EmbeddedFace, Size

PREVIEW_SIDE_PX = 640
"""Longer side of the picture that is shown."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class PicturedFace:
    """A face and its photo.

    Args:
        face: the largest of the photo; box and landmarks in its pixels.
        size: of the photo, the way up that it is shown.
        preview_jpeg: the photo, made smaller.
        aligned_jpeg: the face as the embedder got it, 112 x 112.
    """

    face: EmbeddedFace
    size: Size
    preview_jpeg: bytes
    aligned_jpeg: bytes


def largest_face(*, image: bytes) -> PicturedFace:
    """Finds the largest face of a photo.

    Args:
        image: the file as it came.

    Raises:
        SearchRefused: when the photo cannot be read or shows no face.
        AnalyserUnavailable: when no worker can look at it.
    """
    face = search.largest_face(image=image)
    image_bgr = images.decode(image)
    size = Size.of(image_bgr)
    scale = min(PREVIEW_SIDE_PX / max(size.width, size.height), 1.0)
    return PicturedFace(
        face=face,
        size=size,
        preview_jpeg=images.encode_jpeg(geometry.resized(image_bgr, scale)),
        aligned_jpeg=images.encode_jpeg(alignment.align(image_bgr, face.face.landmarks)),
    )
