"""The gallery check on a real database: what it finds, and when it may go on from where it was."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from recognition.decision import gallery_check as pure
from recognition.jobs import gallery_check, running
from recognition.models import DenyListEntry, FaceSample, FaceTemplate, Job, ModelPack, Person, RecognitionEvent
from recognition.selectors import search_recall, sketched
from recognition.selectors.search_recall import Recall
from recognition.services import doubts, jobs, merging
from recognition.services.jobs import Run
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def pack() -> None:
    fakes.activated_pack()


def checked() -> dict[str, Any]:
    job = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)
    running.run(job.pk, gallery_check.check, should_stop=lambda: False)
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED, job.error_parameters
    return dict(job.result)


def test_an_empty_gallery_has_no_faults() -> None:
    result = checked()
    assert (result["people"], result["samples"]) == (0, 0)
    assert [result[kind]["count"] for kind in ("confusable", "outliers", "duplicates")] == [0, 0, 0]


def test_it_names_the_samples_responsible_by_their_numbers() -> None:
    ada = fakes.person("Ada", fakes.like_probe(1.0), fakes.like_probe(1.0), fakes.like_probe(0.0, axis=3))
    bob = fakes.person("Bob", fakes.like_probe(0.45, axis=2))
    first, second, third = ada.samples.order_by("pk")
    result = checked()
    (confusable,) = result["confusable"]["told"]
    assert confusable["people"] == [ada.pk, bob.pk]
    assert confusable["samples"][0] in {first.pk, second.pk}
    assert confusable["samples"][1] == bob.samples.get().pk
    assert confusable["similarity"] == pytest.approx(0.45)
    (outlier,) = result["outliers"]["told"]
    assert (outlier["person"], outlier["sample"]) == (ada.pk, third.pk)
    (twice,) = result["duplicates"]["told"]
    assert twice["samples"] == [first.pk, second.pk]


def test_it_looks_at_what_is_searched_and_at_nothing_else() -> None:
    fakes.person("Ada", fakes.probe())
    fakes.person("gone", fakes.probe(), is_active=False)
    banned = fakes.person("banned", fakes.probe(), is_active=False)
    DenyListEntry.objects.create(person=banned, reason="a test")
    aside = fakes.person("aside", fakes.probe())
    FaceSample.objects.filter(person=aside).update(status=FaceSample.Status.SET_ASIDE)
    result = checked()
    assert result["people"] == 2
    assert result["confusable"]["count"] == 1


def test_more_findings_than_are_listed_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_check, "MOST_TOLD", 2)
    for number in range(4):
        fakes.person(f"person {number}", fakes.probe())
    result = checked()
    assert result["confusable"]["count"] == 6
    assert len(result["confusable"]["told"]) == 2


class TestGoingOn:
    @pytest.fixture(autouse=True)
    def small_blocks(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Blocks of one template; collects which are computed."""
        computed: list[int] = []
        compute = pure.confusable

        def confusable(*arguments: Any) -> Any:
            computed.append(arguments[1])
            return compute(*arguments)

        monkeypatch.setattr(gallery_check, "BLOCK_ROWS", 1)
        monkeypatch.setattr(pure, "confusable", confusable)
        return computed

    def stopped_after_a_block(self) -> Job:
        for number in range(3):
            fakes.person(f"person {number}", fakes.probe())
        job = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)
        with pytest.raises(running.Stopping):
            running.run(job.pk, gallery_check.check, should_stop=lambda: True)
        return job

    def test_begins_after_the_last_block_that_was_kept(self, small_blocks: list[int]) -> None:
        job = self.stopped_after_a_block()
        running.run(job.pk, gallery_check.check, should_stop=lambda: False)
        assert small_blocks == [0, 1, 2]
        job.refresh_from_db()
        assert job.result["confusable"]["count"] == 3

    def test_begins_anew_when_the_gallery_changed(self, small_blocks: list[int]) -> None:
        job = self.stopped_after_a_block()
        Person.objects.get(name="person 0").delete()
        running.run(job.pk, gallery_check.check, should_stop=lambda: False)
        assert small_blocks == [0, 0, 1]
        job.refresh_from_db()
        assert job.result["confusable"]["count"] == 1


def test_an_error_that_nobody_foresaw_fails_the_job_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def work(steps: running.Steps) -> dict[str, Any]:
        raise KeyError("something")

    job = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)
    running.run(job.pk, work, should_stop=lambda: False)
    job.refresh_from_db()
    assert (job.state, job.error_code, job.error_parameters) == ("failed", "unexpected", {"error": "KeyError"})
    assert f"job {job.pk} failed" in caplog.text


def test_a_run_is_what_steps_are_kept_of() -> None:
    job = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)
    seen: list[Run] = []

    def work(steps: running.Steps) -> dict[str, Any]:
        seen.append(steps.run)
        steps.done(1, 2, {"at": 1})
        return {"at": Job.objects.get().checkpoint["at"]}

    running.run(job.pk, work, should_stop=lambda: False)
    assert seen == [Run(job.pk, 1, {}, {})]
    assert Job.objects.get().result == {"at": 1}


def seen(person: Person, days_ago: int) -> None:
    pack = ModelPack.objects.get()
    moment = timezone.now() - dt.timedelta(days=days_ago)
    RecognitionEvent.objects.create(
        decision="accept", person=person, policy=pack.policies.get(), pack=pack, started_at=moment, decided_at=moment
    )


def told(result: dict[str, Any], code: str) -> list[int]:
    assert result[code]["count"] == len(result[code]["told"])
    return [found["person"] for found in result[code]["told"]]


def test_it_names_people_with_few_views_the_barest_first() -> None:
    one = fakes.person("one", fakes.like_probe(0.1, axis=2))
    none = fakes.person("none")
    fakes.person("two", fakes.like_probe(0.2, axis=3), fakes.like_probe(0.3, axis=4))
    turned = fakes.person("turned", fakes.like_probe(0.2, axis=5), fakes.like_probe(0.3, axis=6))
    turned.samples.update(quality={"yaw_degrees": 40.0, "pitch_degrees": 0.0})
    fakes.person("gone", is_active=False)
    assert told(checked(), "thin") == [none.pk, one.pk, turned.pk]


def test_it_names_who_was_never_or_not_for_long_recognised() -> None:
    new, never, lately, long_ago, longer_ago, merged = (
        fakes.person(name, fakes.like_probe(0.1, axis=1 + number))
        for number, name in enumerate(("new", "never", "lately", "long ago", "longer ago", "merged"))
    )
    Person.objects.exclude(pk=new.pk).update(created_at=timezone.now() - dt.timedelta(days=31))
    seen(lately, 1)
    seen(lately, 400)
    seen(long_ago, 181)
    seen(longer_ago, 400)
    alias = fakes.person("alias")
    seen(alias, 300)
    merging.merge(keep=merged, gone=alias, actor=None)
    result = checked()
    assert told(result, "unseen") == [never.pk]
    assert told(result, "stale") == [longer_ago.pk, merged.pk, long_ago.pk]


def test_people_who_were_told_apart_are_no_finding() -> None:
    ada, bob = (fakes.person(name, fakes.like_probe(0.9, axis=2)) for name in ("Ada", "Bob"))
    assert checked()["confusable"]["count"] == 1
    doubts.tell_apart(person=ada, other=bob, actor=None)
    assert checked()["confusable"]["count"] == 0


def test_it_tests_searches_where_not_everything_is_compared(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_recall, "PROBES", 40)
    for axis in range(2, 6):
        fakes.person(f"p{axis}", fakes.like_probe(0.3, axis=axis))
    assert checked()["recall"] == {"probes": 0, "found": 0}
    settings.FACEWEB_EXACT_SEARCH_MAX_ROWS = -1
    assert checked()["recall"] == {"probes": 40, "found": 40}
    # A search that looks at the wrong ones is found out.
    first = FaceTemplate.objects.earliest("pk").pk
    monkeypatch.setattr(sketched, "nearest", lambda embedding, pack, most: [first])
    recall = Recall.from_json(checked()["recall"])
    assert recall.is_low
    assert 0 < recall.found < recall.probes
