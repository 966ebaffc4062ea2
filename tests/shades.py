"""A model pack that tells people by the grey of their pictures: its networks are fakes, all around them is real.

A picture is one shade all over; its face is in the middle, as in a kept picture. A dark one shows no face.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recognition.models import FaceSample, SampleImage
from recognition.vision.images import encode_jpeg
from recognition.vision.pipeline import SAMPLE_CROP, FacePipeline
from recognition.vision.types import BoundingBox, DetectedFace, Embedding, ImageBgr
from tests import fakes

DIGEST = "e" * 64
"""Of such a pack, beside the one of `tests.fakes`."""

DARK = 10
"""A shade without a face."""

BY_AXIS = tuple(enumerate((50, 90, 130, 170, 210, 250), 1))
"""Shades that are told apart safely, each with an axis for its vector."""


def picture(shade: int) -> bytes:
    """A kept picture of that shade, 0 to 255."""
    return encode_jpeg(np.full((SAMPLE_CROP.side_px, SAMPLE_CROP.side_px, 3), shade, np.uint8))


def keep(sample: FaceSample, shade: int) -> None:
    """Gives a sample a picture of that shade."""
    SampleImage.objects.update_or_create(sample=sample, defaults={"jpeg": picture(shade)})


class ShadeDetector:
    """Finds a face in the middle of every picture that is not dark."""

    runtime = "fake detector"
    sure_score = 0.9
    upright_degrees = 3.0
    tilt_view_px = 192

    def detect(self, image_bgr: ImageBgr) -> tuple[DetectedFace, ...]:
        """See `FaceDetector`."""
        if image_bgr.mean() < 2 * DARK:
            return ()
        side = min(image_bgr.shape[:2])
        margin, size = side / 2 - side / SAMPLE_CROP.context / 2, side / SAMPLE_CROP.context
        return (fakes.detected(BoundingBox(margin, margin, margin + size, margin + size)),)


class ShadeEmbedder:
    """Gives each picture the vector of the shade that is nearest to its own."""

    runtime = "fake embedder"

    def __init__(self, vectors: Mapping[int, Embedding]) -> None:
        """Takes the vectors by shade."""
        self._shades = np.array(list(vectors), np.float32)
        self._vectors = np.stack([embedding.vector for embedding in vectors.values()])

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `FaceEmbedder`."""
        means = crops_bgr.reshape(len(crops_bgr), -1).mean(axis=1)
        nearest = np.abs(means[:, None] - self._shades[None, :]).argmin(axis=1)
        return np.asarray(self._vectors[nearest], np.float32)


def pipeline(vectors: Mapping[int, Embedding], digest: str) -> FacePipeline:
    """The networks of such a pack."""
    return FacePipeline(
        pack_digest=digest, detector=ShadeDetector(), embedder=ShadeEmbedder(vectors), landmark_views=()
    )
