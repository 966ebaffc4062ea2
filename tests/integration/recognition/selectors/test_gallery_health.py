"""What is left of a check's findings when people have dealt with some of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest
from django.utils import timezone

from recognition.jobs import gallery_check, running
from recognition.models import FaceSample, Job, ModelPack, Person
from recognition.selectors import gallery_health
from recognition.selectors.gallery_health import FaultKind, GalleryHealth
from recognition.services import doubts, jobs, merging, packs, people
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def pack() -> ModelPack:
    return fakes.activated_pack()


@pytest.fixture
def ada() -> Person:
    """With the same picture twice, and one that is unlike these."""
    return fakes.person("Ada", fakes.like_probe(1.0), fakes.like_probe(1.0), fakes.like_probe(0.0, axis=3))


@pytest.fixture
def bob(ada: Person) -> Person:
    """Who may be taken for Ada, and has one photo."""
    return fakes.person("Bob", fakes.like_probe(0.45, axis=2))


def check() -> Job:
    job = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)
    running.run(job.pk, gallery_check.check, should_stop=lambda: False)
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED, job.error_parameters
    return job


def latest() -> GalleryHealth:
    found = gallery_health.latest(now=timezone.now())
    assert found is not None
    return found


def kinds() -> Mapping[str, FaultKind]:
    return {kind.code: kind for kind in latest().kinds}


def test_there_is_none_before_the_first_check() -> None:
    assert gallery_health.latest(now=timezone.now()) is None
    assert gallery_health.newest_job() is None


def test_an_empty_gallery_has_no_fault_and_has_not_changed() -> None:
    check()
    assert (latest().count, latest().has_changed) == (0, False)


def test_it_tells_of_each_kind_with_the_samples_responsible(ada: Person, bob: Person) -> None:
    check()
    found = kinds()
    assert {code: kind.count for code, kind in found.items()} == {
        "confusable": 1,
        "outliers": 1,
        "duplicates": 1,
        "thin": 1,
        "unseen": 0,
        "stale": 0,
    }
    first, second, third = ada.samples.order_by("pk")
    assert found["confusable"].faults[0].people == (ada.pk, bob.pk)
    assert found["outliers"].faults[0].samples == (third.pk,)
    assert (found["duplicates"].faults[0].people, found["duplicates"].faults[0].samples) == (
        (ada.pk, ada.pk),
        (first.pk, second.pk),
    )
    enrolled = found["thin"].faults[0].enrolled
    assert enrolled is not None
    assert (enrolled.person, enrolled.samples) == (bob.pk, 1)


def test_a_sample_that_was_set_aside_or_deleted_is_no_fault_any_more(ada: Person, bob: Person) -> None:
    check()
    _, second, third = ada.samples.order_by("pk")
    people.set_sample_status(sample=third, status=FaceSample.Status.SET_ASIDE, actor=None)
    people.delete_sample(sample=second, actor=None)
    found = kinds()
    assert [found[code].count for code in ("outliers", "duplicates")] == [0, 0]
    assert [found[code].settled for code in ("outliers", "duplicates")] == [1, 1]


def test_a_sample_that_is_searched_again_is_a_fault_again(ada: Person) -> None:
    check()
    third = ada.samples.order_by("pk")[2]
    for status in (FaceSample.Status.SET_ASIDE, FaceSample.Status.ACTIVE):
        people.set_sample_status(sample=third, status=status, actor=None)
    assert kinds()["outliers"].count == 1


def test_people_who_were_told_apart_merged_or_set_inactive_are_no_fault_any_more(ada: Person, bob: Person) -> None:
    check()
    doubts.tell_apart(person=ada, other=bob, actor=None)
    assert kinds()["confusable"].count == 0
    assert kinds()["thin"].count == 1
    merging.merge(keep=ada, gone=bob, actor=None)
    assert kinds()["thin"].count == 0
    people.save_person(person=ada, changed=["is_active"], actor=None)
    Person.objects.filter(pk=ada.pk).update(is_active=False)
    assert latest().count == 0


def test_somebody_who_got_a_second_photo_has_views_enough(ada: Person, bob: Person) -> None:
    check()
    sample = fakes.person("helper", fakes.like_probe(0.2, axis=6)).samples.get()
    FaceSample.objects.filter(pk=sample.pk).update(person=bob)
    assert kinds()["thin"].count == 0


def test_what_was_not_listed_is_counted_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_check, "MOST_TOLD", 2)
    for number in range(4):
        fakes.person(f"person {number}", fakes.probe())
    check()
    kind = kinds()["confusable"]
    assert (len(kind.faults), kind.left_out, kind.count) == (2, 4, 6)


def test_who_was_recognised_since_is_no_longer_unseen(ada: Person) -> None:
    Person.objects.update(created_at=timezone.now() - dt.timedelta(days=31))
    check()
    assert kinds()["unseen"].count == 1
    fakes.event(person=ada, decided_at=timezone.now())
    assert kinds()["unseen"].count == 0


class TestWhetherItChangedSince:
    def test_a_sample_that_came_or_went(self, ada: Person) -> None:
        check()
        assert not latest().has_changed
        people.set_sample_status(sample=ada.samples.all()[0], status=FaceSample.Status.SET_ASIDE, actor=None)
        assert latest().has_changed

    def test_a_sample_that_is_somebody_elses_now(self, ada: Person, bob: Person) -> None:
        check()
        FaceSample.objects.filter(person=bob).update(person=ada)
        assert latest().has_changed

    def test_a_new_name_is_no_change(self, ada: Person) -> None:
        check()
        Person.objects.update(name="Ada Lovelace")
        assert not latest().has_changed

    def test_another_pack(self) -> None:
        other = fakes.registered_pack(name="other", digest="e" * 64)
        check()
        packs.activate(pack=other, actor=None)
        assert latest().has_changed

    def test_a_check_of_before_that_was_kept(self, ada: Person) -> None:
        job = check()
        del job.result["gallery"]
        for code in gallery_health.NEGLECTED:
            del job.result[code]
        job.save()
        assert latest().has_changed
        assert set(kinds()) == set(gallery_health.COMPARED)


def test_the_newest_check_that_came_to_its_end_counts(ada: Person) -> None:
    first = check()
    later = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)
    jobs.cancel(job=later, actor=None, now=timezone.now())
    assert latest().job == first
    assert gallery_health.newest_job() == later
    second = check()
    assert latest().job == second
