"""The page of the gallery's health: what it says in each state, and what it offers to whom."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recognition.admin import gallery_health
from recognition.jobs import gallery_check, running
from recognition.models import AuditEntry, FaceSample, Job, Person
from recognition.services import jobs
from tests import fakes

pytestmark = pytest.mark.django_db

PAGE = "/admin/recognition/person/health/"


@pytest.fixture(autouse=True)
def pack() -> None:
    fakes.activated_pack()


@pytest.fixture
def ada() -> Person:
    return fakes.person("Ada", fakes.like_probe(1.0), fakes.like_probe(1.0), fakes.like_probe(0.0, axis=3))


@pytest.fixture
def bob(ada: Person) -> Person:
    return fakes.person("Bob", fakes.like_probe(0.45, axis=2))


@pytest.fixture
def enroller(client: Client) -> Client:
    client.force_login(fakes.in_role("enroller"))
    return client


def check() -> Job:
    job = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)
    running.run(job.pk, gallery_check.check, should_stop=lambda: False)
    job.refresh_from_db()
    return job


def text_at(client: Client, where: str = PAGE) -> str:
    return client.get(where).content.decode()


def as_somebody(account: User) -> Client:
    client = Client()
    client.force_login(account)
    return client


def test_before_the_first_check_it_says_what_one_does(enroller: Client) -> None:
    page = text_at(enroller)
    assert "Not checked yet" in page
    assert "Check now" in page


def test_who_may_not_ask_for_a_check_is_told_who_may() -> None:
    page = text_at(as_somebody(fakes.in_role("auditor")))
    assert "Check now" not in page
    assert "an enroller or an administrator may" in page


def test_a_gallery_without_a_fault(enroller: Client) -> None:
    check()
    page = text_at(enroller)
    assert "Nothing to mend" in page
    assert "The gallery has not changed since." in page
    assert "faceweb-tiles" not in page


def test_each_finding_has_its_action(enroller: Client, ada: Person, bob: Person) -> None:
    check()
    page = text_at(enroller)
    assert "4 findings to look at" in page
    assert f"{reverse('admin:recognition_person_merge', args=[ada.pk])}?other={bob.pk}" in page
    for sample in FaceSample.objects.all():
        assert reverse("admin:recognition_facesample_set_aside", args=[sample.pk]) in page
    assert reverse("admin:recognition_person_enrol", args=[bob.pk]) in page


def test_an_auditor_sees_the_findings_and_no_action(ada: Person, bob: Person) -> None:
    check()
    page = text_at(as_somebody(fakes.in_role("auditor")))
    assert "Samples that are there twice: 1" in page
    for action in ("Set aside", "Really two people", "They are one: merge", "Add photos of Bob"):
        assert action not in page


def test_an_action_leads_back_to_where_its_finding_was(enroller: Client, ada: Person, bob: Person) -> None:
    check()
    sample = ada.samples.order_by("pk")[2]
    address = reverse("admin:recognition_facesample_set_aside", args=[sample.pk])
    response = enroller.post(address, {"next": f"{PAGE}#outliers"})
    assert response["Location"] == f"{PAGE}#outliers"
    page = text_at(enroller)
    assert "Samples that do not fit their person: " not in page
    assert "1 dealt with since" in page
    assert "The gallery has changed since." in page


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org/", "javascript:alert(1)", ""])
def test_an_action_leads_to_no_other_site(elsewhere: str, enroller: Client, ada: Person) -> None:
    sample = ada.samples.all()[0]
    response = enroller.post(reverse("admin:recognition_facesample_set_aside", args=[sample.pk]), {"next": elsewhere})
    assert response["Location"] == reverse("admin:recognition_facesample_change", args=[sample.pk])


def test_who_was_not_seen_for_long_is_set_inactive(enroller: Client, ada: Person) -> None:
    moment = timezone.now() - dt.timedelta(days=200)
    Person.objects.update(created_at=moment)
    fakes.event(person=ada, decided_at=moment)
    check()
    address = reverse("admin:recognition_person_set_inactive", args=[ada.pk])
    assert address in text_at(enroller)
    assert enroller.post(address, {"next": f"{PAGE}#stale"})["Location"] == f"{PAGE}#stale"
    ada.refresh_from_db()
    assert not ada.is_active
    entry = AuditEntry.objects.get(action="person.changed", subject=f"person:{ada.pk}")
    assert entry.details == {"fields": ["is_active"], "before": {"is_active": True}, "after": {"is_active": False}}
    assert "Nothing to mend" in text_at(enroller)


def test_asked_for_from_here_it_leads_back_here_and_shows_how_far_it_is(enroller: Client, ada: Person) -> None:
    check()
    response = enroller.post(reverse("admin:recognition_job_check"), {"next": PAGE})
    assert response["Location"] == PAGE
    page = text_at(enroller)
    assert 'data-is-open="1"' in page
    assert "It waits for its turn." in page
    assert "No process takes jobs" in page
    assert "Check now" not in page
    assert "Samples that are there twice: 1" in page


@pytest.mark.parametrize("queries_before_its_end", range(12))
def test_a_check_that_ends_while_the_page_is_made_is_never_shown_as_none(
    queries_before_its_end: int, enroller: Client, ada: Person
) -> None:
    job = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)
    about_jobs = itertools.count()

    def ends_meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        is_about_jobs = '"recognition_job"' in sql and sql.startswith("SELECT")
        if is_about_jobs and next(about_jobs) == queries_before_its_end:
            running.run(job.pk, gallery_check.check, should_stop=lambda: False)
        return execute(sql, *rest)

    with connection.execute_wrapper(ends_meanwhile):
        page = text_at(enroller)
    assert "Not checked yet" not in page
    assert ("The first check is under way" in page) != ("Samples that are there twice: 1" in page)


def test_a_check_that_failed_since_says_why_beside_the_findings_of_before(enroller: Client, ada: Person) -> None:
    check()
    Job.objects.create(kind="gallery_check", state="failed", error_code="no_thresholds", finished_at=timezone.now())
    page = text_at(enroller)
    assert "did not come to its end" in page
    assert "no measured thresholds" in page
    assert "Samples that are there twice: 1" in page


def test_more_than_a_few_are_folded(enroller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_health, "SHOWN_AT_ONCE", 2)
    for number in range(3):
        fakes.person(f"person {number}", fakes.like_probe(0.1, axis=2 + number))
    check()
    assert "Show 1 more" in text_at(enroller)


def test_its_number_of_queries_does_not_grow_with_the_findings(
    enroller: Client, ada: Person, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for number in range(12):
        fakes.person(f"person {number}", fakes.probe())
    check()
    text_at(enroller)
    with django_assert_max_num_queries(30):  # type: ignore[operator]
        text_at(enroller)


def test_the_page_of_the_job_leads_here(enroller: Client, ada: Person) -> None:
    page = text_at(enroller, reverse("admin:recognition_job_change", args=[check().pk]))
    assert PAGE in page
    assert "1 person with 3 samples was compared. 2 findings." in page


def test_it_tells_how_well_searches_find_and_warns_where_they_miss_people(enroller: Client, ada: Person) -> None:
    job = check()
    assert "Searches compare every template" in text_at(enroller)
    for stored, is_low in (({"probes": 200, "found": 199}, False), ({"probes": 200, "found": 120}, True)):
        Job.objects.filter(pk=job.pk).update(result={**job.result, "recall": stored})
        page = text_at(enroller)
        assert f"for {stored['found']} of 200 probes the nearest sample was found" in page
        assert ("people may be missed" in page) == is_low
    old = {name: value for name, value in job.result.items() if name != "recall"}  # of before there was the self-test
    Job.objects.filter(pk=job.pk).update(result=old)
    assert "Self-test" not in text_at(enroller)
