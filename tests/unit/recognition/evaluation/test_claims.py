from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from recognition.evaluation import claims, lfw_protocol
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.lfw_protocol import ImageName, Pair
from recognition.evaluation.open_set import CENTROID, NEAREST
from recognition.vision.types import Embedding

ANGLES = {ImageName("A", 1): 0.0, ImageName("A", 2): 60.0, ImageName("A", 3): 20.0, ImageName("B", 1): 90.0}
"""Degrees."""

MATED = Pair(ImageName("A", 1), ImageName("A", 2))
NON_MATED = Pair(ImageName("A", 1), ImageName("B", 1))


def scores(pairs: Sequence[Pair], strategy: str, *, without: ImageName | None = None) -> list[float]:
    """The angle that each similarity is the cosine of; 180 where no face was found."""
    embeddings = {
        image: Embedding.from_raw(np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]), "pack")
        for image, angle in ANGLES.items()
        if image != without
    }
    found = claims.scored(embeddings, pairs, strategy)
    return [float(angle) for angle in np.degrees(np.arccos(np.clip(found.similarities, -1, 1)))]


def test_no_pairs_have_no_accuracy() -> None:
    assert scores([], NEAREST) == []
    with pytest.raises(NoScores):
        claims.accuracy({}, [], [], strategy=NEAREST)


@pytest.mark.parametrize(
    ("strategy", "mated", "non_mated"),
    [
        (claims.ONE_IMAGE, 60.0, 90.0),  # A1 alone
        (NEAREST, 40.0, 30.0),  # A1 and A3; A1, A2 and A3
        (CENTROID, 50.0, 90 - 26.34),  # means at 10 degrees, and at atan2(sum of sines, sum of cosines)
    ],
)
def test_the_second_image_is_compared_with_all_others_of_the_first_ones_person(
    strategy: str, mated: float, non_mated: float
) -> None:
    assert scores([MATED, NON_MATED], strategy) == pytest.approx([mated, non_mated], abs=0.05)


@pytest.mark.parametrize("strategy", claims.STRATEGIES)
def test_a_probe_without_a_face_matches_nobody(strategy: str) -> None:
    assert scores([MATED], strategy, without=ImageName("A", 2)) == [180.0]


def test_a_person_is_enrolled_with_the_images_in_which_there_is_a_face() -> None:
    assert scores([MATED], claims.ONE_IMAGE, without=ImageName("A", 1)) == [180.0]
    assert scores([MATED], NEAREST, without=ImageName("A", 1)) == pytest.approx([40.0], abs=0.05)
    alone = Pair(ImageName("B", 1), ImageName("A", 1))
    assert scores([alone], NEAREST, without=ImageName("B", 1)) == [180.0]


def test_the_threshold_comes_from_the_train_pairs() -> None:
    embeddings = {
        image: Embedding.from_raw(np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]), "pack")
        for image, angle in ANGLES.items()
    }
    train = lfw_protocol.parse("1\nA\t1\t3\nA\t1\tB\t1").pairs
    found = claims.accuracy(embeddings, train, [MATED, NON_MATED], strategy=claims.ONE_IMAGE)
    assert found.threshold == pytest.approx((np.cos(np.radians(20)) + np.cos(np.radians(90))) / 2)
    assert found.mean == 1.0
