from __future__ import annotations

import numpy as np
import pytest

from recognition.decision.matching import Strategy
from recognition.evaluation.lfw_protocol import ImageName
from recognition.evaluation.open_set import OperatingPoint, Rates
from recognition.management import evaluating_classifiers
from recognition.training.classifiers import CannotLearn
from recognition.vision.types import Embedding
from tests import fakes

AT = OperatingPoint(threshold=0.5, margin=0.05)
RIGHT = Rates(fpir=0.0, fnir=0.0, rank1=1.0)


def faces(several: int, alone: int) -> dict[ImageName, Embedding]:
    """People of three images, and others of one; nobody looks like anybody else."""
    random = np.random.default_rng(0)
    images = [ImageName(f"Several {who}", number) for who in range(several) for number in (1, 2, 3)]
    images += [ImageName(f"Alone {who}", 1) for who in range(alone)]
    centres = {person: random.standard_normal(64) for person in sorted({image.person for image in images})}
    return {
        image: Embedding.from_raw(centres[image.person] + 0.2 * random.standard_normal(64), fakes.DIGEST)
        for image in images
    }


def rates(embeddings: dict[ImageName, Embedding], *without_a_face: ImageName) -> dict[Strategy, Rates]:
    images = [*embeddings, *without_a_face]
    return evaluating_classifiers.rates(embeddings, images, gallery_size=6, seeds=2, at=AT)


def test_people_who_look_like_nobody_else_are_told_apart_by_every_strategy() -> None:
    assert rates(faces(8, 30)) == dict.fromkeys(Strategy, RIGHT)


def test_an_image_without_a_face_is_left_out() -> None:
    without = [ImageName("Several 0", 4), ImageName("Faceless", 1)]
    assert rates(faces(8, 30), *without) == dict.fromkeys(Strategy, RIGHT)


def test_a_stranger_who_looks_like_somebody_is_counted_as_named() -> None:
    embeddings = faces(6, 30)
    embeddings[ImageName("Double", 1)] = embeddings[ImageName("Several 0", 1)]
    found = rates(embeddings)
    assert found[Strategy.NEAREST].fpir == pytest.approx(1 / 31)
    assert found[Strategy.NEAREST].fnir == 0.0


def test_a_gallery_without_anybody_to_search_for_is_nothing_to_measure() -> None:
    embeddings = faces(6, 30)
    ones = {image: found for image, found in embeddings.items() if image.number == 1}
    with pytest.raises(CannotLearn, match="nobody_to_learn"):
        rates(ones, *(embeddings.keys() - ones.keys()))


def test_too_few_other_people_are_nothing_to_learn_of() -> None:
    with pytest.raises(CannotLearn, match="too_few_others_to_learn: 19, limit 20"):
        rates(faces(6, 19))
