from __future__ import annotations

import numpy as np
import pytest

from recognition.evaluation import lfw_protocol, verification
from recognition.evaluation.lfw_protocol import ImageName
from recognition.evaluation.verification import TrainPairsNeeded, TrainPairsNotUsed
from recognition.vision.errors import PackMismatch
from recognition.vision.types import Embedding

ONE_SET = lfw_protocol.parse("1\nA\t1\t2\nA\t1\tB\t1")
TRAIN = lfw_protocol.parse("1\nC\t1\t2\nC\t1\tD\t1")
TWO_FOLDS = lfw_protocol.parse("2\t1\nA\t1\t2\nA\t1\tB\t1\nC\t1\t2\nC\t1\tD\t1")

DIRECTIONS = {"A": 0.0, "B": 80.0, "C": 160.0, "D": 240.0}
"""Degrees; a person's images are ten degrees apart."""


def embedding(image: ImageName, pack: str = "pack") -> Embedding:
    angle = np.radians(DIRECTIONS[image.person] + 10 * image.number)
    return Embedding.from_raw(np.array([np.cos(angle), np.sin(angle)]), pack)


ALL = {image: embedding(image) for image in TWO_FOLDS.images()}


def test_a_single_set_needs_train_pairs() -> None:
    with pytest.raises(TrainPairsNeeded):
        verification.measure(ALL, pairs=ONE_SET)


def test_folds_choose_their_own_thresholds() -> None:
    with pytest.raises(TrainPairsNotUsed):
        verification.measure(ALL, pairs=TWO_FOLDS, train_pairs=TRAIN)
    measured = verification.measure(ALL, pairs=TWO_FOLDS)
    assert (measured.accuracy.mean, measured.pairs, measured.images) == (1.0, 4, 6)


def test_images_of_both_files_are_counted_and_compared() -> None:
    measured = verification.measure(ALL, pairs=ONE_SET, train_pairs=TRAIN, with_all_pairs=True)
    assert (measured.accuracy.mean, measured.pairs, measured.images, measured.not_acquired) == (1.0, 2, 6, 0)
    assert measured.everything is not None
    assert (measured.everything.mated, measured.everything.non_mated) == (2, 13)
    assert [point.fmr for point in measured.everything.points] == list(verification.FMRS)
    assert all(measured.everything.tmr(point) == 1.0 for point in measured.everything.points)


def test_every_pair_is_compared_only_where_asked_for() -> None:
    assert verification.measure(ALL, pairs=ONE_SET, train_pairs=TRAIN).everything is None


def test_a_face_that_was_not_found_is_an_error_of_its_mated_pairs_only() -> None:
    without = {image: found for image, found in ALL.items() if image != ImageName("A", 1)}
    measured = verification.measure(without, pairs=ONE_SET, train_pairs=TRAIN, with_all_pairs=True)
    assert (measured.accuracy.mean, measured.not_acquired) == (0.5, 1)
    assert measured.everything is not None
    assert measured.everything.mated == 2
    assert all(point.mated_matches == 1 for point in measured.everything.points)


def test_when_no_face_is_found_at_all_every_mated_pair_is_missed() -> None:
    measured = verification.measure({}, pairs=TWO_FOLDS, with_all_pairs=True)
    assert measured.not_acquired == 6
    assert measured.everything is not None
    assert all(point.mated_matches == 0 for point in measured.everything.points)


def test_vectors_of_two_packs_are_never_compared() -> None:
    mixed = {**ALL, ImageName("A", 1): embedding(ImageName("A", 1), "another")}
    with pytest.raises(PackMismatch):
        verification.measure(mixed, pairs=ONE_SET, train_pairs=TRAIN)
