"""A model pack is tried out on a real database: what is embedded, what is found out, and when the switch is refused."""

from __future__ import annotations

from typing import Any

import pytest

from recognition.jobs import pack_switch, running
from recognition.models import FaceSample, FaceTemplate, Job, ModelPack, Person, SampleImage, ThresholdPolicy
from recognition.selectors import gallery, packs
from recognition.selectors import pack_switch as read
from recognition.services import jobs
from recognition.services import pack_switch as switching
from recognition.services.pack_switch import SwitchRefused
from recognition.vision.errors import PackUnavailable
from recognition.vision.types import Embedding
from tests import fakes, shades

pytestmark = pytest.mark.django_db

OTHER = shades.DIGEST


DISTINCT = {shade: fakes.like_probe(0.0, axis=axis, pack_digest=OTHER) for axis, shade in shades.BY_AXIS}
"""Every shade is somebody else."""


@pytest.fixture(autouse=True)
def used() -> ModelPack:
    fakes.registered_pack(name="other", digest=OTHER)
    return fakes.activated_pack()


@pytest.fixture
def other(used: ModelPack) -> ModelPack:
    return ModelPack.objects.get(digest=OTHER)


@pytest.fixture(autouse=True)
def networks(monkeypatch: pytest.MonkeyPatch) -> dict[int, Embedding]:
    """What the other pack makes of each shade; a test may change it."""
    seen = dict(DISTINCT)
    monkeypatch.setattr(pack_switch, "networks_of", lambda pack: shades.pipeline(seen, OTHER))
    return seen


def enrolled(name: str, *pictures: int | None, axis: int = 1) -> Person:
    """Somebody with a sample of the pack in use for each shade; None keeps no picture."""
    person = fakes.person(name, *(fakes.like_probe(0.0, axis=axis) for _ in pictures))
    for sample, shade in zip(person.samples.order_by("pk"), pictures, strict=True):
        if shade is None:
            SampleImage.objects.filter(sample=sample).delete()
        else:
            shades.keep(sample, shade)
    return person


def tried(pack: ModelPack) -> dict[str, Any]:
    job = jobs.request(kind=Job.Kind.PACK_SWITCH, parameters={"pack": pack.pk}, actor=None)
    running.run(job.pk, pack_switch.try_out, should_stop=lambda: False)
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED, (job.error_code, job.error_parameters)
    return dict(job.result)


def unavailable(pack: ModelPack) -> None:
    raise PackUnavailable("not here")


class TestTryingOut:
    def test_an_empty_gallery_needs_no_networks(self, other: ModelPack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pack_switch, "networks_of", unavailable)
        result = tried(other)
        assert (result["samples"], result["people"], result["probes"]) == (0, 0, 0)
        assert [result[kind]["count"] for kind in ("lost", "worse", "newly_confused")] == [0, 0, 0]

    def test_embeds_every_kept_picture_beside_the_template_that_goes_on_being_searched(
        self, used: ModelPack, other: ModelPack
    ) -> None:
        ada = enrolled("Ada", 50, 50)
        aside = enrolled("aside", 90, axis=2)
        aside.samples.update(status=FaceSample.Status.SET_ASIDE)
        result = tried(other)
        assert (result["samples"], result["embedded"]) == (3, 3)
        assert FaceTemplate.objects.filter(pack=other).count() == FaceTemplate.objects.filter(pack=used).count() == 3
        assert packs.active().id == used.pk
        best = gallery.search(fakes.like_probe(0.0, axis=1), packs.active()).best
        assert best is not None
        assert best.person_id == ada.pk

    def test_says_why_a_sample_is_not_embedded_and_who_is_lost(self, other: ModelPack) -> None:
        enrolled("Ada", 50, None)
        no_photos = enrolled("no photos", None, axis=2)
        no_face = enrolled("no face", shades.DARK, axis=3)
        result = tried(other)
        assert (result["samples"], result["embedded"]) == (4, 1)
        assert (result["without_picture"], result["without_face"]) == (2, 1)
        assert result["lost"] == {"count": 2, "told": [{"people": [no_photos.pk]}, {"people": [no_face.pk]}]}
        assert result["people"] == 3

    def test_does_not_count_as_lost_whom_nobody_searches(self, other: ModelPack) -> None:
        enrolled("gone", None)
        Person.objects.update(is_active=False)
        assert tried(other)["lost"]["count"] == 0

    def test_names_samples_that_find_somebody_else(self, other: ModelPack, networks: dict[int, Embedding]) -> None:
        ada = enrolled("Ada", 50, 90, axis=1)
        bob = enrolled("Bob", 130, 130, axis=2)
        networks[50] = fakes.like_probe(0.9, axis=2, pack_digest=OTHER)
        networks[130] = fakes.like_probe(0.8, axis=2, pack_digest=OTHER)
        networks[90] = fakes.like_probe(0.0, axis=5, pack_digest=OTHER)
        result = tried(other)
        assert (result["probes"], result["better"], result["worse"]["count"]) == (4, 0, 1)
        (told,) = result["worse"]["told"]
        assert told["people"] == [ada.pk, bob.pk]
        assert told["samples"][0] == ada.samples.order_by("pk")[0].pk

    def test_tells_only_pairs_that_the_pack_in_use_does_not_confuse(
        self, other: ModelPack, networks: dict[int, Embedding]
    ) -> None:
        twins = [enrolled("one twin", 50, axis=1), enrolled("other twin", 50, axis=1)]
        stranger = enrolled("stranger", 90, axis=2)
        networks[90] = networks[50]
        result = tried(other)
        assert result["threshold"] == 0.4
        assert result["newly_confused"]["count"] == 2
        assert [finding["people"] for finding in result["newly_confused"]["told"]] == [
            [twin.pk, stranger.pk] for twin in twins
        ]

    def test_without_measured_thresholds_no_pair_is_told(self, other: ModelPack) -> None:
        ModelPack.objects.filter(pk=other.pk).update(operating_points=[])
        enrolled("one", 50)
        enrolled("two", 50)
        result = tried(other)
        assert (result["threshold"], result["newly_confused"]["count"]) == (None, 0)

    def test_a_second_time_embeds_only_what_is_new(self, other: ModelPack, monkeypatch: pytest.MonkeyPatch) -> None:
        enrolled("Ada", 50)
        tried(other)
        before = FaceTemplate.objects.get(pack=other)
        enrolled("Bob", 90, axis=2)
        assert tried(other)["embedded"] == 2
        assert FaceTemplate.objects.filter(pack=other).order_by("pk").first() == before

    def test_a_pack_that_cannot_be_loaded_fails_the_job_with_its_reason(
        self, other: ModelPack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pack_switch, "networks_of", unavailable)
        enrolled("Ada", 50)
        job = jobs.request(kind=Job.Kind.PACK_SWITCH, parameters={"pack": other.pk}, actor=None)
        running.run(job.pk, pack_switch.try_out, should_stop=lambda: False)
        job.refresh_from_db()
        assert (job.error_code, job.error_parameters) == ("other_pack_unusable", {"pack": "other"})

    def test_of_a_pack_that_is_gone_fails(self) -> None:
        job = jobs.request(kind=Job.Kind.PACK_SWITCH, parameters={"pack": 0}, actor=None)
        running.run(job.pk, pack_switch.try_out, should_stop=lambda: False)
        assert Job.objects.get().error_code == "pack_gone"

    def test_goes_on_after_the_last_step_that_was_kept(self, other: ModelPack, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pack_switch, "SAMPLES_A_STEP", 1)
        enrolled("no face", shades.DARK)
        enrolled("Ada", 50, axis=2)
        job = jobs.request(kind=Job.Kind.PACK_SWITCH, parameters={"pack": other.pk}, actor=None)
        with pytest.raises(running.Stopping):
            running.run(job.pk, pack_switch.try_out, should_stop=lambda: True)
        job.refresh_from_db()
        # The one without a face is not looked at again.
        assert job.checkpoint == {"after": FaceSample.objects.order_by("pk")[0].pk}
        running.run(job.pk, pack_switch.try_out, should_stop=lambda: False)
        job.refresh_from_db()
        assert (job.state, job.result["embedded"], job.result["without_face"]) == ("succeeded", 1, 1)


class TestStoring:
    def test_of_a_sample_that_is_gone_keeps_nothing_and_of_a_known_one_what_is_there(self, other: ModelPack) -> None:
        sample = enrolled("Ada", 50).samples.get()
        first, second = (fakes.like_probe(0.0, axis=axis, pack_digest=OTHER) for axis in (1, 2))
        switching.store_templates(pack=other, embeddings={})
        switching.store_templates(pack=other, embeddings={sample.pk: first, sample.pk + 1: first})
        switching.store_templates(pack=other, embeddings={sample.pk: second})
        assert FaceTemplate.objects.get(pack=other).embedding == first.vector.tolist()


class TestSwitching:
    def test_searches_by_the_new_pack_with_the_rules_that_held(self, used: ModelPack, other: ModelPack) -> None:
        ada = enrolled("Ada", 50)
        (made,) = switching.switch(pack=other, compared=tried(other)["basis"], actor=None)
        assert (made.pack, made.state) == (other, ThresholdPolicy.State.ACTIVE)
        assert packs.active().id == other.pk
        best = gallery.search(DISTINCT[50], packs.active()).best
        assert best is not None
        assert best.person_id == ada.pk

    @pytest.mark.parametrize("change", ["enrolled", "removed", "set aside", "thresholds"])
    def test_is_refused_when_what_was_compared_has_changed(self, other: ModelPack, change: str) -> None:
        person = enrolled("Ada", 50, 50)
        compared = tried(other)["basis"]
        match change:
            case "enrolled":
                enrolled("Bob", 90, axis=2)
            case "removed":
                FaceSample.objects.filter(person=person).first().delete()  # type: ignore[union-attr]
            case "set aside":
                person.samples.update(status=FaceSample.Status.SET_ASIDE)
            case _:
                ModelPack.objects.filter(pk=other.pk).update(
                    operating_points=[{"fmr": 1e-4, "threshold": 0.9, "tmr": 0.5}]
                )
        with pytest.raises(SwitchRefused, match="changed since"):
            switching.switch(pack=ModelPack.objects.get(pk=other.pk), compared=compared, actor=None)
        assert packs.active().id != other.pk

    def test_that_loses_people_must_be_agreed_to(self, other: ModelPack) -> None:
        enrolled("Ada", None)
        compared = tried(other)["basis"]
        with pytest.raises(SwitchRefused, match="1 person would not be found"):
            switching.switch(pack=other, compared=compared, actor=None)
        switching.switch(pack=other, compared=compared, actor=None, despite_losses=True)
        assert packs.active().id == other.pk

    def test_to_a_pack_that_decides_nothing_must_be_agreed_to(self, other: ModelPack) -> None:
        ModelPack.objects.filter(pk=other.pk).update(operating_points=[])
        other.refresh_from_db()
        enrolled("Ada", 50)
        compared = tried(other)["basis"]
        with pytest.raises(SwitchRefused, match="no measured thresholds"):
            switching.switch(pack=other, compared=compared, actor=None)
        assert switching.switch(pack=other, compared=compared, actor=None, despite_losses=True) == ()

    def test_of_the_pack_in_use_embeds_what_it_lacks(self, used: ModelPack, monkeypatch: pytest.MonkeyPatch) -> None:
        networks = shades.pipeline({50: fakes.probe()}, fakes.DIGEST)
        monkeypatch.setattr(pack_switch, "networks_of", lambda pack: networks)
        enrolled("Ada", 50)
        FaceTemplate.objects.all().delete()
        assert packs.gallery_state(used.pk).needs_reembedding
        tried(used)
        assert not packs.gallery_state(used.pk).needs_reembedding


def test_the_latest_trial_is_the_pack_s_own(used: ModelPack, other: ModelPack) -> None:
    assert read.latest_trial(other) is None
    tried(used)
    assert read.latest_trial(other) is None
    tried(other)
    trial = read.latest_trial(other)
    assert trial is not None
    assert trial.parameters == {"pack": other.pk}
