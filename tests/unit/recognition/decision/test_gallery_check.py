"""What is wrong with a gallery, found in blocks of any size."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.decision import gallery_check
from recognition.decision.gallery_check import ConfusablePair
from recognition.vision.templates import Templates

DIMENSION = 4


def templates(*rows: tuple[int, int, tuple[float, ...]]) -> Templates:
    """Each row: sample, person, and the start of its vector; the last number makes it of unit length."""
    vectors = np.zeros((len(rows), DIMENSION), np.float32)
    for vector, (_, _, start) in zip(vectors, rows, strict=True):
        vector[: len(start)] = start
        vector[-1] = np.sqrt(1 - np.square(start).sum())
    return Templates(
        np.array([sample for sample, _, _ in rows], np.int64),
        np.array([person for _, person, _ in rows], np.int64),
        vectors,
    )


def at_random(people: int, samples_each: int) -> Templates:
    vectors = np.random.default_rng(7).normal(size=(people * samples_each, DIMENSION))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Templates(
        np.arange(1, people * samples_each + 1, dtype=np.int64),
        np.repeat(np.arange(1, people + 1, dtype=np.int64), samples_each),
        vectors.astype(np.float32),
    )


def all_confusable(everybody: Templates, threshold: float, block_rows: int) -> tuple[ConfusablePair, ...]:
    found: tuple[ConfusablePair, ...] = ()
    for block in range(gallery_check.block_count(everybody, block_rows)):
        found = gallery_check.merged(found, gallery_check.confusable(everybody, block, threshold, block_rows))
    return found


def scores(everybody: Templates) -> NDArray[np.float32]:
    return everybody.vectors @ everybody.vectors.T


def test_an_empty_gallery_has_no_blocks_and_no_faults() -> None:
    nobody = Templates(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, DIMENSION), np.float32))
    assert gallery_check.block_count(nobody) == 0
    assert gallery_check.own_outliers(nobody, 0.5) == ()
    assert gallery_check.duplicates(nobody, 0.5) == ()


class TestConfusablePairs:
    def test_two_people_are_confused_from_the_threshold_on_with_the_samples_responsible(self) -> None:
        everybody = templates((11, 1, (0.0,)), (12, 1, (1.0,)), (21, 2, (0.0, 1.0)), (22, 2, (0.75,)))
        (pair,) = gallery_check.confusable(everybody, 0, 0.75)
        assert (pair.people, pair.samples) == ((1, 2), (12, 22))
        assert pair.similarity == pytest.approx(0.75)
        assert gallery_check.confusable(everybody, 0, np.nextafter(np.float32(0.75), np.float32(1))) == ()

    def test_two_samples_of_one_person_are_not_confused(self) -> None:
        assert gallery_check.confusable(templates((11, 1, (1.0,)), (12, 1, (1.0,))), 0, 0.5) == ()

    @pytest.mark.parametrize("block_rows", [1, 2, 3, 7, 60, 1000])
    def test_blocks_of_any_size_find_what_a_comparison_of_each_pair_finds(self, block_rows: int) -> None:
        everybody = at_random(people=12, samples_each=5)
        similarities = scores(everybody)
        best: dict[tuple[int, int], float] = {}
        for one, other in itertools.combinations(range(len(everybody)), 2):
            people = int(everybody.people[one]), int(everybody.people[other])
            if people[0] != people[1] and similarities[one, other] >= 0.9:
                best[people] = max(best.get(people, -1.0), float(similarities[one, other]))
        found = all_confusable(everybody, 0.9, block_rows)
        assert best
        assert {pair.people: pytest.approx(pair.similarity, abs=1e-6) for pair in found} == best
        assert [pair.similarity for pair in found] == sorted((pair.similarity for pair in found), reverse=True)

    def test_of_very_many_the_most_similar_are_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        everybody = at_random(people=12, samples_each=5)
        every = all_confusable(everybody, 0.5, 7)
        monkeypatch.setattr(gallery_check, "MOST_PAIRS", 3)
        assert all_confusable(everybody, 0.5, 7) == every[:3]


class TestOwnOutliers:
    def test_a_sample_that_none_of_the_others_is_like_is_told(self) -> None:
        everybody = templates((11, 1, (1.0,)), (12, 1, (0.9,)), (13, 1, (0.0, 1.0)), (21, 2, (0.0, 0.0, 1.0)))
        (outlier,) = gallery_check.own_outliers(everybody, 0.4)
        assert (outlier.person, outlier.sample) == (1, 13)
        assert outlier.similarity == pytest.approx(0.0)

    def test_of_two_that_differ_both_are_told(self) -> None:
        everybody = templates((11, 1, (1.0,)), (12, 1, (0.0, 1.0)))
        assert [outlier.sample for outlier in gallery_check.own_outliers(everybody, 0.4)] == [11, 12]

    def test_a_similarity_of_the_threshold_is_enough(self) -> None:
        everybody = templates((11, 1, (1.0,)), (12, 1, (0.75,)))
        assert gallery_check.own_outliers(everybody, 0.75) == ()


class TestDuplicates:
    def test_each_pair_of_one_person_is_told_once_and_no_pair_of_two_people(self) -> None:
        everybody = templates((12, 1, (1.0,)), (11, 1, (1.0,)), (13, 1, (0.5,)), (21, 2, (1.0,)))
        (twice,) = gallery_check.duplicates(everybody, 0.97)
        assert (twice.person, twice.samples) == (1, (11, 12))
        assert twice.similarity <= 1.0


@pytest.mark.parametrize("change", ["samples", "people", "vectors"])
def test_the_fingerprint_changes_with_whatever_changes(change: str) -> None:
    one, other = at_random(3, 2), at_random(3, 2)
    assert one.fingerprint == other.fingerprint
    getattr(other, change)[0] += 1
    assert one.fingerprint != other.fingerprint
