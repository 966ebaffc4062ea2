"""The page that captures a data set, and what its script asks."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from recognition.models import FaceSample, Person
from recognition.services import analysis
from recognition.services.analysis import AnalyserUnavailable
from recognition.vision import images
from tests import faces, fakes

pytestmark = pytest.mark.django_db

GOOD, BLURRED, EMPTY = (faces.jpeg(image) for image in (faces.astronaut(), faces.tom_hanks(), faces.close_up()))


@pytest.fixture(autouse=True)
def analyser(monkeypatch: pytest.MonkeyPatch) -> fakes.FakeAnalyser:
    fakes.activated_pack()
    face = fakes.embedded(where=fakes.box())
    blurred = fakes.embedded(where=fakes.box(), seen=fakes.quality(sharpness=0.0))
    fake = fakes.FakeAnalyser({GOOD: (face,), BLURRED: (blurred,)})
    monkeypatch.setattr(analysis, "_analysers", [fake])
    return fake


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(fakes.in_role("enroller"))
    return client


def look(client: Client, picture: bytes, label: str = "Ada Lovelace") -> Any:
    fields = {"frame": SimpleUploadedFile("frame.jpg", picture), "label": label}
    return client.post(reverse("admin:recognition_person_capture_frame"), fields)


def test_the_page_asks_for_a_name(staff: Client) -> None:
    page = staff.get(reverse("admin:recognition_person_capture")).content.decode()
    assert 'maxlength="200"' in page
    assert "js/capture.js" in page


def test_a_good_picture_comes_with_its_aligned_face_and_folder_and_nothing_is_stored(staff: Client) -> None:
    answer = look(staff, GOOD, "../Ada").json()
    assert (answer["advice"], answer["folder"]) == ("take", "Ada")
    assert images.decode(base64.b64decode(answer["aligned"])).shape == (112, 112, 3)
    assert not Person.objects.exists()
    assert not FaceSample.objects.exists()


@pytest.mark.parametrize(
    ("picture", "advice"), [(EMPTY, "come_into_view"), (BLURRED, "hold_still"), (b"no picture", "come_into_view")]
)
def test_another_one_comes_with_advice_alone(staff: Client, picture: bytes, advice: str) -> None:
    answer = look(staff, picture).json()
    assert (answer["advice"], answer["aligned"]) == (advice, "")
    assert answer["sentence"]


def test_what_cannot_be_judged_is_said(staff: Client, analyser: fakes.FakeAnalyser) -> None:
    analyser.faces_of = {GOOD: AnalyserUnavailable("Start a worker.")}
    answer = look(staff, GOOD)
    assert (answer.status_code, answer.json()["sentence"]) == (503, "Start a worker.")
    assert look(staff, GOOD, label="").status_code == 400
    assert look(staff, GOOD, label="x" * 201).status_code == 400
