"""Who it is is asked on a page of its own."""

from __future__ import annotations

import dataclasses

import pytest
from django.test import Client
from django.urls import reverse

from recognition.models import EventCrop, FaceSample, Person, RecognitionEvent
from recognition.services import analysis
from tests import fakes

pytestmark = pytest.mark.django_db

CROP = b"a kept picture"
THRESHOLDS = {"identification_threshold": 0.5, "margin": 0.05}


@pytest.fixture
def event(monkeypatch: pytest.MonkeyPatch) -> RecognitionEvent:
    fakes.activated_pack()
    face = fakes.embedded(where=fakes.box(x=43, y=43))
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({CROP: (face,)})])
    seen = fakes.event(decision="reject_no_match", quality=fakes.quality().as_json(), thresholds=THRESHOLDS)
    EventCrop.objects.create(event=seen, jpeg=CROP)
    return seen


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(fakes.in_role("operator", "enroller"))
    return client


def page_of(event: RecognitionEvent) -> str:
    return reverse("admin:recognition_recognitionevent_enrol", args=[event.pk])


@pytest.mark.parametrize(
    ("roles", "status"),
    [(("operator",), 403), (("enroller",), 403), (("auditor",), 403), (("operator", "enroller"), 200)],
)
def test_it_needs_to_see_events_and_to_enrol(
    client: Client, event: RecognitionEvent, roles: tuple[str, ...], status: int
) -> None:
    client.force_login(fakes.in_role(*roles))
    assert client.get(page_of(event)).status_code == status
    assert client.post(page_of(event), {"name": "Ada"}).status_code in ({403} if status == 403 else {302})


def test_a_switch_of_the_pack_in_that_moment_is_told(
    staff: Client, event: RecognitionEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = fakes.embedded(dataclasses.replace(fakes.probe(), pack_digest="another"), where=fakes.box(x=43, y=43))
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({CROP: (face,)})])
    shown = staff.post(page_of(event), {"name": "Ada"}, follow=True).content.decode()
    assert "try again" in shown
    assert not Person.objects.exists()


def test_somebody_new_needs_the_permission_to_add_people(client: Client, event: RecognitionEvent) -> None:
    account = fakes.user("view_recognitionevent", "view_person", "add_facesample")
    account.is_staff = True
    account.save()
    client.force_login(account)
    assert "Somebody new" not in client.get(page_of(event)).content.decode()
    assert client.post(page_of(event), {"name": "Ada"}).status_code == 403
    assert not Person.objects.exists()


def test_a_name_enrols_somebody_new(staff: Client, event: RecognitionEvent) -> None:
    response = staff.post(page_of(event), {"name": "  Ada   Lovelace "})
    ada = Person.objects.get()
    assert ada.name == "Ada Lovelace"
    assert response["Location"] == reverse("admin:recognition_person_change", args=[ada.pk])
    assert FaceSample.objects.get().event == event


def test_whoever_is_there_is_found_by_name_and_by_external_id(staff: Client, event: RecognitionEvent) -> None:
    bo = fakes.person("Bo Diddley")
    Person.objects.create(name="Ada", external_id="B-77")
    for query, shown, hidden in (("diddl", "Enrol as Bo", "Enrol as Ada"), ("b-7", "Enrol as Ada", "Enrol as Bo")):
        page = staff.get(page_of(event), {"q": query}).content.decode()
        assert shown in page
        assert hidden not in page
    assert "Nobody is called “Zoe”." in staff.get(page_of(event), {"q": "Zoe"}).content.decode()
    staff.post(page_of(event), {"person": bo.pk})
    assert FaceSample.objects.get().person == bo


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Choose one of the people, or type a new name."),
        ({"person": "x"}, "Choose one of the people, or type a new name."),
        ({"person": "9" * 30}, "Choose one of the people, or type a new name."),
        ({"name": " "}, "This field is required."),
        ({"name": "a" * 201}, "at most 200 characters"),
    ],
)
def test_nonsense_enrols_nobody(staff: Client, event: RecognitionEvent, sent: dict[str, str], sentence: str) -> None:
    assert sentence in staff.post(page_of(event), sent).content.decode()
    assert not Person.objects.exists()


def test_a_face_that_is_like_somebody_else_is_set_aside_and_said(staff: Client, event: RecognitionEvent) -> None:
    fakes.person("Ada", fakes.probe())
    response = staff.post(page_of(event), {"name": "Bo"}, follow=True)
    assert "The face is set aside." in response.content.decode()
    assert FaceSample.objects.get(person__name="Bo").status == "set_aside"


def test_a_face_that_was_too_small_says_so_and_offers_nothing(staff: Client, event: RecognitionEvent) -> None:
    small = fakes.event(decision="reject_no_match", quality=fakes.quality(face_size_px=30.0).as_json())
    EventCrop.objects.create(event=small, jpeg=CROP)
    page = staff.get(page_of(small)).content.decode()
    assert "30" in page
    assert "Enrol as a new person" not in page


def test_without_a_worker_the_page_says_so(
    staff: Client, event: RecognitionEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "_analysers", [])
    response = staff.post(page_of(event), {"name": "Ada"})
    assert response["Location"] == reverse("admin:recognition_recognitionevent_change", args=[event.pk])
    assert not Person.objects.exists()


@pytest.mark.parametrize(("roles", "is_offered"), [(("operator",), False), (("operator", "enroller"), True)])
def test_the_page_of_an_event_offers_it_to_whoever_may(
    client: Client, event: RecognitionEvent, roles: tuple[str, ...], is_offered: bool
) -> None:
    client.force_login(fakes.in_role(*roles))
    page = client.get(reverse("admin:recognition_recognitionevent_change", args=[event.pk])).content.decode()
    assert ("Enrol this face" in page) == is_offered


def test_a_row_that_was_merged_is_neither_offered_nor_taken(staff: Client, event: RecognitionEvent) -> None:
    keep, gone = fakes.person("Ada"), fakes.person("Ada twice")
    Person.objects.filter(pk=gone.pk).update(merged_into=keep)
    assert "Enrol as Ada twice" not in staff.get(page_of(event), {"q": "ada"}).content.decode()
    assert "Choose one of the people" in staff.post(page_of(event), {"person": gone.pk}).content.decode()
    other = fakes.event(decision="reject_ambiguous", best_person=gone, quality=fakes.quality().as_json())
    EventCrop.objects.create(event=other, jpeg=CROP)
    assert "Enrol as Ada<" in staff.get(page_of(other)).content.decode()
