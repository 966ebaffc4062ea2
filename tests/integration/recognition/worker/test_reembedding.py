"""A kept picture gives the face that it was cut around."""

from __future__ import annotations

import numpy as np

from recognition.vision.images import encode_jpeg
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import BoundingBox
from recognition.worker import reembedding
from tests import fakes, shades
from tests.fakes import FakeDetector, FakeEmbedder

DIGEST = "e" * 64


def networks(*found: BoundingBox) -> FacePipeline:
    detector = FakeDetector(*(fakes.detected(where) for where in found))
    return FacePipeline(pack_digest=DIGEST, detector=detector, embedder=FakeEmbedder(), landmark_views=())


def halves() -> bytes:
    """Dark on the left, bright on the right."""
    image = np.zeros((400, 400, 3), np.uint8)
    image[:, 250:] = 200
    return encode_jpeg(image)


def test_what_is_no_image_and_what_shows_no_face_give_nothing() -> None:
    assert reembedding.embedding_of(b"", networks()) is None
    assert reembedding.embedding_of(b"a crop", networks()) is None
    assert reembedding.embedding_of(shades.picture(100), networks()) is None


def test_the_face_in_the_middle_is_marked_with_the_pack() -> None:
    embedding = reembedding.embedding_of(shades.picture(100), networks(BoundingBox(140, 120, 260, 280)))
    assert embedding is not None
    assert embedding.pack_digest == DIGEST


def test_somebody_beside_is_nobody() -> None:
    assert reembedding.embedding_of(halves(), networks(BoundingBox(290, 120, 399, 280))) is None
