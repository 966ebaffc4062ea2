"""The page of guided enrolment, and what its script asks."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from recognition.models import FaceSample, Person
from recognition.services import analysis
from tests import fakes

pytestmark = pytest.mark.django_db

PICTURE = b"a picture of the camera"
BEFORE = "100,100,212,212"


@pytest.fixture
def ada(monkeypatch: pytest.MonkeyPatch) -> Person:
    fakes.activated_pack()
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({PICTURE: (fakes.embedded(where=fakes.box()),)})])
    return fakes.person("Ada")


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(fakes.in_role("enroller"))
    return client


def at(name: str, person: Person) -> str:
    return reverse(f"admin:recognition_person_{name}", args=[person.pk])


def look(client: Client, person: Person, **changes: Any) -> Any:
    fields = {"frame": SimpleUploadedFile("frame.jpg", PICTURE), "pose": "front", "before": BEFORE, **changes}
    return client.post(at("guided_frame", person), fields)


def slots(page: str) -> list[dict[str, Any]]:
    found = re.search(r'<script id="guided-slots-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found
    read: list[dict[str, Any]] = json.loads(found[1])
    return read


def test_a_new_person_has_five_empty_poses_in_order(staff: Client, ada: Person) -> None:
    shown = slots(staff.get(at("guided", ada)).content.decode())
    assert [(slot["pose"], slot["state"]) for slot in shown] == [
        (pose, "empty") for pose in ("front", "left", "right", "up", "down")
    ]


def test_a_good_picture_fills_its_pose_and_stays_filled(staff: Client, ada: Person) -> None:
    answer = look(staff, ada).json()
    assert (answer["advice"], answer["slots"][0]["state"]) == ("take", "taken")
    again = slots(staff.get(at("guided", ada)).content.decode())[0]
    assert again["picture"] == reverse("sample-image", args=[FaceSample.objects.get().pk])


def test_the_first_picture_says_where_the_face_is(staff: Client, ada: Person) -> None:
    answer = look(staff, ada, before="").json()
    assert (answer["advice"], answer["slots"]) == ("hold_still", None)
    assert [float(number) for number in answer["box"].split(",")] == [100, 100, 212, 212]


def test_a_doubt_shows_its_sentence_and_the_page_that_answers_it(staff: Client, ada: Person) -> None:
    fakes.person("Bo", fakes.probe())
    slot = look(staff, ada).json()["slots"][0]
    sample = FaceSample.objects.get(person=ada)
    assert slot["state"] == "set_aside"
    assert slot["reasons"][0].startswith("The face is like Bo, more than like Ada")
    assert slot["decide"] == reverse("admin:recognition_facesample_change", args=[sample.pk])


def test_retake_empties_a_pose(staff: Client, ada: Person) -> None:
    look(staff, ada)
    answer = staff.post(at("guided_retake", ada), {"pose": "front"}).json()
    assert answer["slots"][0]["state"] == "empty"
    assert not FaceSample.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"frame": ""},
        {"pose": ""},
        {"pose": "profile"},
        {"before": "1,2,3"},
        {"before": "a,b,c,d"},
        {"before": "nan,0,1,1"},
        {"before": "0,0,inf,1"},
        {"before": "5,5,1,1"},
        {"before": "1,2,3,4,5"},
    ],
)
def test_nonsense_is_refused_and_enrols_nothing(staff: Client, ada: Person, changes: dict[str, str]) -> None:
    assert look(staff, ada, **changes).status_code == 400
    assert staff.post(at("guided_retake", ada), {"pose": "x"}).status_code == 400
    assert not FaceSample.objects.exists()


def test_pictures_and_retakes_come_by_post(staff: Client, ada: Person) -> None:
    assert {staff.get(at(name, ada)).status_code for name in ("guided_frame", "guided_retake")} == {405}


@pytest.mark.parametrize("role", ["operator", "auditor", "administrator"])
def test_others_may_not(client: Client, ada: Person, role: str) -> None:
    client.force_login(fakes.in_role(role))
    assert client.get(at("guided", ada)).status_code == 403
    assert look(client, ada).status_code == 403
    assert client.post(at("guided_retake", ada), {"pose": "front"}).status_code == 403
    assert not FaceSample.objects.exists()


def test_whoever_may_not_delete_samples_is_offered_no_retake(client: Client, ada: Person) -> None:
    account = fakes.user("add_facesample")
    account.is_staff = True
    account.save()
    client.force_login(account)
    assert 'data-retake-url=""' in client.get(at("guided", ada)).content.decode()
    assert look(client, ada).json()["slots"][0]["picture"] == "", "nor shown a picture that may not be seen"
    assert client.post(at("guided_retake", ada), {"pose": "front"}).status_code == 403


def test_without_a_worker_the_answer_says_so(staff: Client, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "_analysers", [])
    response = look(staff, ada)
    assert response.status_code == 503
    assert "No recognition worker is running" in response.json()["sentence"]


def test_a_row_that_was_merged_is_nobody(staff: Client, ada: Person) -> None:
    now = fakes.person("Ada too")
    Person.objects.filter(pk=ada.pk).update(merged_into=now)
    assert staff.get(at("guided", ada))["Location"] == reverse("admin:recognition_person_change", args=[now.pk])
    assert look(staff, ada).status_code == 404


@pytest.mark.parametrize(("role", "is_offered"), [("enroller", True), ("auditor", False)])
def test_the_page_of_the_person_offers_it_to_whoever_may(
    client: Client, ada: Person, role: str, is_offered: bool
) -> None:
    client.force_login(fakes.in_role(role))
    page = client.get(reverse("admin:recognition_person_change", args=[ada.pk])).content.decode()
    assert ("Enrol by camera" in page) == is_offered
