from __future__ import annotations

import math
import random
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.decision import matching, verdict
from recognition.decision.matching import CLASSIFIERS, Candidate, Strategy
from recognition.decision.policy import Policy
from recognition.evaluation import open_set
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.lfw_protocol import ImageName
from recognition.evaluation.open_set import OperatingPoint, Rates, TooFewPeople
from recognition.vision.errors import PackMismatch
from recognition.vision.types import Embedding
from tests import fakes


def images(**counts: int) -> list[ImageName]:
    """So many images of each person."""
    return [ImageName(person, number) for person, count in counts.items() for number in range(1, count + 1)]


def at_degrees(angle: float, pack_digest: str = fakes.DIGEST) -> Embedding:
    """A unit vector of the plane: similarities are cosines that one can draw."""
    return Embedding.from_raw(np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))]), pack_digest)


class TestSplit:
    PEOPLE = images(Ada=3, Bo=2, Cyd=1, Dan=4)

    def test_enrols_people_of_two_images_with_their_first_and_searches_all_else(self) -> None:
        chosen = open_set.split(self.PEOPLE, gallery_size=3, seed=0)
        assert sorted(chosen.references) == [
            (ImageName("Ada", 1),),
            (ImageName("Bo", 1),),
            (ImageName("Dan", 1),),
        ]
        assert sorted(chosen.mated) == sorted(
            set(self.PEOPLE) - {image for (image,) in chosen.references} - {ImageName("Cyd", 1)}
        )
        assert chosen.non_mated == (ImageName("Cyd", 1),)

    @pytest.mark.parametrize("seed", range(5))
    def test_takes_the_first_of_the_names_sorted_and_shuffled_by_the_seed(self, seed: int) -> None:
        expected = ["Ada", "Bo", "Dan"]
        random.Random(seed).shuffle(expected)  # noqa: S311  # a repeatable choice, nothing secret
        chosen = open_set.split(reversed(self.PEOPLE), gallery_size=2, seed=seed)
        assert [image.person for (image,) in chosen.references] == expected[:2]
        assert {image.person for image in chosen.non_mated} == {"Cyd", expected[2]}
        assert {image.number for image in chosen.non_mated} == {1}

    def test_gives_a_second_sample_only_to_who_keeps_a_probe(self) -> None:
        doubled = open_set.split(self.PEOPLE, gallery_size=3, seed=0).with_second_sample()
        assert {
            tuple(image.number for image in theirs) for theirs in doubled.references if theirs[0].person != "Bo"
        } == {(1, 2)}
        assert sorted(doubled.mated) == [
            ImageName("Ada", 3),
            ImageName("Bo", 2),
            ImageName("Dan", 3),
            ImageName("Dan", 4),
        ]

    @pytest.mark.parametrize(
        ("counts", "size", "message"),
        [
            ({}, 1, "expected 1 to 0 people"),
            ({"Ada": 2, "Bo": 1}, 0, "expected 1 to 1 people, .* got 0"),
            ({"Ada": 2, "Bo": 1}, 2, "expected 1 to 1 people, .* got 2"),
            ({"Ada": 2}, 1, "somebody who is not enrolled"),
        ],
    )
    def test_says_what_is_missing(self, counts: dict[str, int], size: int, message: str) -> None:
        with pytest.raises(TooFewPeople, match=message):
            open_set.split(images(**counts), gallery_size=size, seed=0)


class TestMeasure:
    """Ada at 0 and Bo at 90 degrees are enrolled; everybody's similarities are cosines to those."""

    AT = OperatingPoint(threshold=math.cos(math.radians(30)) - 1e-6, margin=0.1)
    ENROLLED = {ImageName("Ada", 1): 0.0, ImageName("Bo", 1): 90.0}

    def trial(self, probes: Mapping[ImageName, float | None], at: OperatingPoint = AT) -> open_set.Trial:
        angles = {**self.ENROLLED, **probes}
        embeddings = {image: at_degrees(angle) for image, angle in angles.items() if angle is not None}
        return open_set.measure(embeddings, list(angles), gallery_size=2, seed=0, at=at)

    @pytest.mark.parametrize(
        ("ada", "bo", "fnir", "rank1"),
        [
            (10, 80, 0.0, 1.0),
            (30, 80, 0.0, 1.0),  # exactly the threshold
            (31, 80, 0.5, 1.0),  # right, and not sure enough
            (60, 80, 0.5, 0.5),  # Bo is closer, and close enough: a miss all the same
            (None, 80, 0.5, 0.5),  # without a face
            (180, 270, 1.0, 0.0),
        ],
    )
    def test_counts_enrolled_people_who_are_not_named_as_themselves(
        self, ada: float | None, bo: float, fnir: float, rank1: float
    ) -> None:
        found = self.trial({ImageName("Ada", 2): ada, ImageName("Bo", 2): bo, ImageName("Cyd", 1): 180})
        assert found.rates == Rates(fpir=0.0, fnir=fnir, rank1=rank1)
        assert (found.mated, found.non_mated, found.not_acquired) == (2, 1, int(ada is None))

    @pytest.mark.parametrize(
        ("strangers", "fpir"),
        [([180], 0.0), ([10], 1.0), ([30], 1.0), ([31, 180], 0.0), ([10, 180], 0.5), ([None, 10], 0.5)],
    )
    def test_counts_strangers_who_are_named(self, strangers: list[float | None], fpir: float) -> None:
        others = {ImageName(f"Stranger{number}", 1): angle for number, angle in enumerate(strangers)}
        found = self.trial({ImageName("Ada", 2): 0, ImageName("Bo", 2): 90, **others})
        assert found.rates == Rates(fpir=fpir, fnir=0.0, rank1=1.0)

    def test_names_nobody_within_the_margin_and_tells_what_it_would_be_without(self) -> None:
        between = {ImageName("Ada", 2): 44, ImageName("Bo", 2): 90, ImageName("Cyd", 1): 46}
        found = self.trial(between, OperatingPoint(0.5, 0.1))
        assert found.rates == Rates(fpir=0.0, fnir=0.5, rank1=1.0)
        assert found.without_margin == Rates(fpir=1.0, fnir=0.0, rank1=1.0)

    def test_an_enrolled_person_without_a_face_is_missed_and_hides_nobody(self) -> None:
        embeddings = {
            image: at_degrees(angle)
            for image, angle in {
                ImageName("Ada", 2): 0,
                ImageName("Bo", 1): 90,
                ImageName("Bo", 2): 90,
                ImageName("Cyd", 1): 90,
            }.items()
        }
        found = open_set.measure(embeddings, [ImageName("Ada", 1), *embeddings], gallery_size=2, seed=0, at=self.AT)
        assert found.rates == Rates(fpir=1.0, fnir=0.5, rank1=0.5)
        assert found.not_acquired == 1

    def test_a_gallery_of_one_has_no_margin_to_keep(self) -> None:
        embeddings = {
            ImageName("Ada", 1): at_degrees(0),
            ImageName("Ada", 2): at_degrees(5),
            ImageName("Cyd", 1): at_degrees(90),
        }
        found = open_set.measure(embeddings, list(embeddings), gallery_size=1, seed=0, at=self.AT)
        assert found.rates == Rates(fpir=0.0, fnir=0.0, rank1=1.0)

    def test_the_trade_off_holds_the_point_in_force_and_goes_one_way(self) -> None:
        found = self.trial(
            {ImageName("Ada", 2): 25, ImageName("Bo", 2): 80, ImageName("Cyd", 1): 28, ImageName("Dan", 1): 35}
        )
        thresholds = [threshold for threshold, _ in found.det]
        assert thresholds == sorted(thresholds)
        assert dict(found.det)[self.AT.threshold] == found.rates
        fpirs, fnirs = [rates.fpir for _, rates in found.det], [rates.fnir for _, rates in found.det]
        assert fpirs == sorted(fpirs, reverse=True)
        assert fnirs == sorted(fnirs)
        assert (fpirs[0], fpirs[-1], fnirs[0], fnirs[-1]) == (1.0, 0.0, 0.0, 1.0)
        assert -1.0 <= thresholds[0] < thresholds[-1] <= 1.0

    def test_a_second_sample_is_compared_on_the_probes_that_are_left(self) -> None:
        found = self.trial(
            {ImageName("Ada", 2): 60, ImageName("Ada", 3): 61, ImageName("Bo", 2): 120, ImageName("Cyd", 1): 180}
        )
        assert found.doubled == 1
        assert found.one_sample.fnir == pytest.approx(0.5)  # Ada's third, far from her first
        assert found.strategies["nearest"].fnir == pytest.approx(0.0)  # and near her second
        assert found.strategies["centroid"] == Rates(fpir=0.0, fnir=0.5, rank1=0.5)  # their mean is halfway

    def test_embeddings_of_two_packs_are_refused(self) -> None:
        embeddings = {ImageName("Ada", 1): at_degrees(0), ImageName("Ada", 2): at_degrees(5, "e" * 64)}
        with pytest.raises(PackMismatch, match="come from 2 model packs"):
            open_set.measure(embeddings, images(Ada=2, Bo=1), gallery_size=1, seed=0, at=self.AT)

    def test_a_gallery_without_a_face_is_refused(self) -> None:
        with pytest.raises(NoScores, match="expected a face in at least one image"):
            open_set.measure({}, images(Ada=2, Bo=1), gallery_size=1, seed=0, at=self.AT)


def test_the_mean_of_trials_is_that_of_each_rate() -> None:
    assert Rates.mean([Rates(0.0, 0.5, 1.0), Rates(0.5, 0.0, 0.5)]) == Rates(0.25, 0.25, 0.75)
    with pytest.raises(NoScores):
        Rates.mean([])


# --- the same answers as the live decision ---


def unit(rows: int, generator: np.random.Generator) -> NDArray[np.float32]:
    vectors = generator.normal(size=(rows, 4)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def test_the_strategies_are_those_of_the_policy() -> None:
    assert set(open_set.STRATEGIES) == {strategy.value for strategy in Strategy if strategy not in CLASSIFIERS}


@pytest.mark.parametrize("strategy", [Strategy(name) for name in open_set.STRATEGIES])
@given(
    seed=st.integers(0, 10_000),
    samples=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    least=st.sampled_from([-1.0, 0.0, 0.5]),
)
def test_ranks_as_the_decision_package_does(strategy: Strategy, seed: int, samples: list[int], least: float) -> None:
    generator = np.random.default_rng(seed)
    owners = np.repeat(np.arange(len(samples)), samples).astype(np.int64)
    templates, probes = unit(len(owners), generator), unit(3, generator)
    found = open_set.rank(probes, templates, owners, strategy.value, least)
    policy = Policy(1, identification_threshold=0.5, verification_threshold=0.5, margin=0.1)
    for row, probe in enumerate(probes):
        if strategy is Strategy.CENTROID:
            means = [templates[owners == person].mean(axis=0) for person in range(len(samples))]
            scores = [(person, float(probe @ (mean / np.linalg.norm(mean)))) for person, mean in enumerate(means)]
        else:
            scores = [(int(owner), float(probe @ template)) for owner, template in zip(owners, templates, strict=True)]
        hits = [Candidate(person, "", number, score) for number, (person, score) in enumerate(scores)]
        ranked = matching.rank(hits, strategy, least_similarity=least)
        assert ranked.best is not None
        assert found.person[row] == ranked.best.person_id
        assert found.similarity[row] == pytest.approx(ranked.best.similarity, abs=1e-5)
        assert found.margin[row] == pytest.approx(math.inf if ranked.margin is None else ranked.margin, abs=1e-5)
        accepted = verdict.judge(ranked, policy).decision is verdict.Decision.ACCEPT
        assert found.named(OperatingPoint(0.5, 0.1))[row] == accepted


def test_as_many_templates_vote_as_in_the_live_decision() -> None:
    assert matching.k_nearest.__defaults__ == (open_set.VOTERS,)
