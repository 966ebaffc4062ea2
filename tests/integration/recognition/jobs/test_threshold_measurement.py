"""Thresholds measured on a real database: what is counted, and when it may go on from where it was."""

from __future__ import annotations

from typing import Any

import pytest

from recognition.evaluation import gallery_scores as pure
from recognition.evaluation.gallery_scores import Tally
from recognition.jobs import running, threshold_measurement
from recognition.models import FaceSample, Job, ModelPack, Person
from recognition.services import jobs
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def pack() -> ModelPack:
    return fakes.activated_pack()


def measured() -> dict[str, Any]:
    job = jobs.request(kind=Job.Kind.THRESHOLDS, parameters={}, actor=None)
    running.run(job.pk, threshold_measurement.measure, should_stop=lambda: False)
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED, job.error_parameters
    return dict(job.result)


def test_an_empty_gallery_is_measured_as_such() -> None:
    result = measured()
    assert (result["people"], result["samples"]) == (0, 0)
    assert Tally.from_json(result["tally"]).non_mated.sum() == 0


def test_it_counts_what_is_searched_and_names_the_highest_pair() -> None:
    ada = fakes.person("Ada", fakes.like_probe(1.0), fakes.like_probe(0.9))
    bob = fakes.person("Bob", fakes.like_probe(0.6, axis=2))
    fakes.person("gone", fakes.probe(), is_active=False)
    FaceSample.objects.filter(person=fakes.person("aside", fakes.probe())).update(status=FaceSample.Status.SET_ASIDE)
    result = measured()
    assert (result["people"], result["samples"], result["margin"]) == (2, 3, 0.05)
    tally = Tally.from_json(result["tally"])
    assert (tally.mated.sum(), tally.non_mated.sum()) == (1, 2)
    assert (tally.stranger_searches, tally.owner_searches) == (3, 2)
    (pair,) = tally.pairs
    assert pair.people == (ada.pk, bob.pk)
    assert pair.samples == (ada.samples.earliest("pk").pk, bob.samples.get().pk)
    assert pair.similarity == pytest.approx(0.6)


@pytest.mark.parametrize("decides", [True, False])
def test_a_pack_that_decides_nothing_is_not_measured(pack: ModelPack, decides: bool) -> None:
    if decides:
        pack.is_active = False
    pack.operating_points = []
    pack.save()
    job = jobs.request(kind=Job.Kind.THRESHOLDS, parameters={}, actor=None)
    running.run(job.pk, threshold_measurement.measure, should_stop=lambda: False)
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "no_active_pack" if decides else "no_thresholds")


class TestGoingOn:
    @pytest.fixture(autouse=True)
    def small_blocks(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Blocks of one person; collects which are computed."""
        computed: list[int] = []
        compute = pure.measure

        def measure(samples: Any, block: int, **settings: Any) -> Any:
            computed.append(block)
            return compute(samples, block, **settings)

        monkeypatch.setattr(threshold_measurement, "BLOCK_ROWS", 1)
        monkeypatch.setattr(pure, "measure", measure)
        return computed

    def stopped_after_a_block(self) -> Job:
        for number in range(3):
            fakes.person(f"person {number}", fakes.probe(), fakes.like_probe(0.5))
        job = jobs.request(kind=Job.Kind.THRESHOLDS, parameters={}, actor=None)
        with pytest.raises(running.Stopping):
            running.run(job.pk, threshold_measurement.measure, should_stop=lambda: True)
        return job

    def test_begins_after_the_last_block_that_was_kept(self, small_blocks: list[int]) -> None:
        job = self.stopped_after_a_block()
        running.run(job.pk, threshold_measurement.measure, should_stop=lambda: False)
        assert small_blocks == [0, 1, 2]
        job.refresh_from_db()
        tally = Tally.from_json(job.result["tally"])
        assert (tally.mated.sum(), tally.non_mated.sum(), tally.stranger_searches) == (3, 12, 6)

    def test_begins_anew_when_the_gallery_changed(self, small_blocks: list[int]) -> None:
        job = self.stopped_after_a_block()
        Person.objects.get(name="person 0").delete()
        running.run(job.pk, threshold_measurement.measure, should_stop=lambda: False)
        assert small_blocks == [0, 0, 1]
