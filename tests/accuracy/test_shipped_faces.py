"""The default pack on the faces that dependencies ship: runs on any machine."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from recognition.vision import model_packs
from recognition.vision.types import Embedding, ImageBgr
from tests import faces

THRESHOLD = model_packs.OPENCV_ZOO_OPERATING_POINTS[-1].threshold
"""The default for identification."""


def embeddings(image_bgr: ImageBgr) -> tuple[Embedding, ...]:
    pipeline = faces.default_pipeline()
    return tuple(face.embedding for face in pipeline.embed(image_bgr, pipeline.find(image_bgr)))


def test_the_astronaut_is_herself_smaller_darker_and_tilted() -> None:
    image_bgr = faces.astronaut()
    (original,) = embeddings(image_bgr)
    tilt = cv2.getRotationMatrix2D((256, 256), 12, 1.0)
    changed = {
        "smaller": cv2.resize(image_bgr, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
        "darker": (image_bgr * 0.6).astype(np.uint8),
        "tilted": cv2.warpAffine(image_bgr, tilt, (512, 512)),
    }
    similarities = {
        name: embeddings(np.asarray(image, np.uint8))[0].similarity(original) for name, image in changed.items()
    }
    assert min(similarities.values()) > THRESHOLD + 0.1, similarities


def test_the_six_people_of_the_group_are_six() -> None:
    people = embeddings(faces.group())
    assert len(people) == faces.PEOPLE_IN_GROUP
    assert max(first.similarity(second) for first, second in itertools.combinations(people, 2)) < THRESHOLD


def test_a_face_that_fills_its_image_is_found_and_is_nobody_else() -> None:
    (portrait,) = embeddings(faces.tom_hanks())
    others = [*embeddings(faces.group()), *embeddings(faces.astronaut())]
    assert max(portrait.similarity(other) for other in others) < THRESHOLD
