"""The action of the list of people that gives their pictures as a labelled archive."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from recognition.admin import dataset_export
from recognition.models import AuditAction, AuditEntry, FaceSample, Person, SampleImage
from recognition.services import analysis
from recognition.services.analysis import AnalyserUnavailable
from recognition.vision.types import BoundingBox
from tests import fakes, shades

pytestmark = pytest.mark.django_db

PICTURE = shades.picture(100)


@pytest.fixture(autouse=True)
def people(monkeypatch: pytest.MonkeyPatch) -> list[Person]:
    fakes.activated_pack()
    people = [fakes.person("Ada", fakes.probe()), fakes.person("Bo", fakes.like_probe(0.0))]
    SampleImage.objects.update(jpeg=PICTURE)
    face = fakes.embedded(where=BoundingBox(120, 120, 280, 280))
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({PICTURE: (face,)})])
    return people


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(fakes.in_role("enroller"))
    return client


def act(client: Client, people: list[Person], **more: str) -> Any:
    fields = {"action": "export_dataset", "_selected_action": [person.pk for person in people], **more}
    return client.post(reverse("admin:recognition_person_changelist"), fields)


def test_says_what_the_archive_holds_before_it_gives_it(staff: Client, people: list[Person]) -> None:
    page = act(staff, people).content.decode()
    assert "2 people are chosen" in page
    assert "Download the archive" in page
    assert not AuditEntry.objects.filter(action=AuditAction.GALLERY_EXPORTED).exists()

    answer = act(staff, people[:1], download="1")
    assert answer["Content-Type"] == "application/zip"
    assert "no-store" in answer["Cache-Control"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["Ada/originals/0001.jpg", "Ada/aligned/0001.jpg", "people.csv"]
        assert archive.read("Ada/originals/0001.jpg") == PICTURE
        assert archive.read("people.csv").decode().splitlines()[1] == "Ada/originals/0001.jpg,Ada,"
    entry = AuditEntry.objects.get(action=AuditAction.GALLERY_EXPORTED)
    assert entry.actor is not None
    assert entry.details == {"dataset": True, "people": 1, "pictures": 1}


def test_names_samples_without_a_picture(staff: Client, people: list[Person]) -> None:
    sample = people[0].samples.get()
    SampleImage.objects.get(sample=sample).delete()
    page = act(staff, people).content.decode()
    assert "1 sample has no picture and is left out" in page
    assert f"Sample #{sample.pk}" in page
    SampleImage.objects.all().delete()
    page = act(staff, people, download="1").content.decode()
    assert "there is nothing to export" in page
    assert "Download the archive" not in page


def test_sends_those_who_want_many_to_the_command(
    staff: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_export, "MOST_PICTURES", 1)
    page = act(staff, people, download="1").content.decode()
    assert "faceweb dataset export people.zip" in page
    assert "Download the archive" not in page


def test_says_when_nobody_can_look_at_the_pictures(
    staff: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({PICTURE: AnalyserUnavailable("Start a worker.")})])
    page = act(staff, people, download="1").content.decode()
    assert "Start a worker." in page


def test_is_for_those_who_may_see_the_pictures(client: Client, people: list[Person]) -> None:
    viewer = fakes.user("view_person")
    viewer.is_staff = True
    viewer.save()
    client.force_login(viewer)
    assert "export_dataset" not in client.get(reverse("admin:recognition_person_changelist")).content.decode()
    answer = act(client, people, download="1")
    assert answer.get("Content-Type") != "application/zip"
    assert FaceSample.objects.count() == 2
    assert not AuditEntry.objects.filter(action=AuditAction.GALLERY_EXPORTED).exists()
