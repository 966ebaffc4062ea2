from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from recognition.evaluation import face_like
from recognition.evaluation.face_like import QUANTILES, FaceStatistics, Quantiles, TooFewFaces
from recognition.vision.errors import InvalidArray

PEOPLE = 500

TOLERANCE = 0.025
"""Of similarity, by which a quantile may be off. Mislabelled photos of real data are not imitated, so the lowest
mated one is compared at a twentieth of all, not below."""


def drawn_quantiles(statistics: FaceStatistics, *, seed: int = 1) -> Quantiles:
    gallery = face_like.generate(statistics, people=PEOPLE, samples_each=2, probes=1, seed=seed)
    return face_like.quantiles(gallery.vectors, np.repeat(np.arange(PEOPLE, dtype=np.int64), 2))


def furthest(drawn: Quantiles, real: Quantiles) -> float:
    usual = [share <= 0.95 for share in QUANTILES]  # 500 mated pairs say little of rarer ones
    return float(max(np.abs(drawn.mated - real.mated)[usual].max(), np.abs(drawn.non_mated - real.non_mated).max()))


class TestLikeness:
    def test_of_mated_and_non_mated_similarities_to_real_ones_holds_at_every_quantile(self) -> None:
        statistics = face_like.load()
        assert furthest(drawn_quantiles(statistics), statistics.real) < TOLERANCE

    @pytest.mark.parametrize(
        "changes",
        [
            {"within": face_like.load().within * np.float32(0.7)},  # samples too much alike
            {"between": face_like.load().between * np.float32(0.5)},  # people too much alike
            {"mean": face_like.load().mean * np.float32(0)},
            {"spread": 0.8},
        ],
    )
    def test_is_missed_by_other_statistics(self, changes: dict[str, object]) -> None:
        statistics = face_like.load()
        other = dataclasses.replace(statistics, **changes)  # type: ignore[arg-type]
        assert furthest(drawn_quantiles(other), statistics.real) > TOLERANCE


class TestGenerating:
    def test_draws_the_same_of_the_same_seed_only(self) -> None:
        statistics = face_like.load()
        one, same, other = (
            face_like.generate(statistics, people=5, samples_each=3, probes=2, seed=seed) for seed in (1, 1, 2)
        )
        assert np.array_equal(one.vectors, same.vectors)
        assert np.array_equal(one.probes, same.probes)
        assert not np.array_equal(one.vectors, other.vectors)

    def test_gives_unit_vectors_and_probes_that_are_not_stored(self) -> None:
        gallery = face_like.generate(face_like.load(), people=50, samples_each=2, probes=50, seed=1)
        assert gallery.vectors.shape == (100, 128)
        assert np.linalg.norm(gallery.vectors, axis=1) == pytest.approx(1, abs=1e-5)
        similarities = gallery.probes @ gallery.vectors.T
        assert similarities.max() < 0.999
        assert (similarities.argmax(axis=1) // 2 == gallery.mates).mean() > 0.95


class TestMeasuring:
    def test_of_nobody_is_refused(self) -> None:
        with pytest.raises(TooFewFaces, match="two people or more"):
            face_like.measured(np.empty((0, 3), np.float32), np.empty(0, np.int64))

    def test_of_people_with_one_sample_each_is_refused(self) -> None:
        with pytest.raises(TooFewFaces, match="two samples"):
            face_like.measured(np.eye(3, dtype=np.float32), np.arange(3))

    def test_of_another_type_is_refused(self) -> None:
        with pytest.raises(InvalidArray, match="float32"):
            face_like.measured(np.eye(3), np.arange(3))  # type: ignore[arg-type]

    def test_of_a_generated_gallery_finds_what_it_was_drawn_from(self) -> None:
        statistics = face_like.load()
        gallery = face_like.generate(statistics, people=400, samples_each=3, probes=1, seed=3)
        found = face_like.measured(gallery.vectors, np.repeat(np.arange(400, dtype=np.int64), 3))
        assert np.trace(found.within) == pytest.approx(np.trace(statistics.within), abs=0.05)
        assert np.trace(found.between) == pytest.approx(np.trace(statistics.between), abs=0.05)
        assert furthest(drawn_quantiles(found), statistics.real) < 2 * TOLERANCE

    def test_is_kept_in_a_file(self, tmp_path: Path) -> None:
        statistics = face_like.load()
        face_like.save(statistics, tmp_path / "copy.npz")
        copy = face_like.load(tmp_path / "copy.npz")
        assert np.array_equal(copy.within, statistics.within)
        assert copy.spread == statistics.spread
        assert np.array_equal(copy.real.mated, statistics.real.mated)
