from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recognition.admin import enrolment_pages
from recognition.models import FaceSample, ModelPack, Person, WaitingPhoto
from recognition.services import analysis
from recognition.vision.images import ImageLimits
from tests import faces, fakes

PHOTO = faces.jpeg(np.zeros((480, 640, 3), np.uint8))
ALONE = b"one face"

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(monkeypatch: pytest.MonkeyPatch) -> Person:
    fakes.activated_pack()
    two = (fakes.embedded(where=fakes.box(x=300)), fakes.embedded(where=fakes.box(x=100)))
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({PHOTO: two, ALONE: two[:1], b"a photo": two[1:]})])
    return fakes.person("Ada")


@pytest.fixture
def enroller(client: Client) -> Client:
    client.force_login(fakes.in_role("enroller"))
    return client


def enrol_page(person: Person) -> str:
    return reverse("admin:recognition_person_enrol", args=[person.pk])


def upload(name: str, data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/jpeg")


def choose_page(photo: WaitingPhoto) -> str:
    return reverse("admin:recognition_person_choose", args=[photo.person_id, photo.pk])


def test_one_photo_with_several_faces_leads_to_the_page_to_choose_on(enroller: Client, ada: Person) -> None:
    response = enroller.post(enrol_page(ada), {"photos": upload("group.jpg", PHOTO)})
    assert response.status_code == 302
    assert response["Location"] == choose_page(WaitingPhoto.objects.get())
    assert not FaceSample.objects.exists()


def test_among_several_photos_it_is_told_with_a_link(enroller: Client, ada: Person) -> None:
    files = [upload("alone.jpg", ALONE), upload("group.jpg", PHOTO)]
    page = enroller.post(enrol_page(ada), {"photos": files}).content.decode()
    assert "2 faces were found" in page
    assert f'href="{choose_page(WaitingPhoto.objects.get())}"' in page
    assert FaceSample.objects.count() == 1


def test_a_program_is_told_codes_with_what_was_measured(
    enroller: Client, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment_pages, "STILL_LIMITS", ImageLimits(max_bytes=2**20))
    sent = {"photos": upload("large.jpg", bytes(2**20 + 2**19))}
    (outcome,) = enroller.post(enrol_page(ada), sent, headers={"Accept": "application/json"}).json()["results"]
    assert outcome["why"] == [{"reason": "image_too_large", "measured": 1.5, "required": 1.0}]
    assert outcome["reasons"] == ["The file is too large: 1.5 MB, at most 1.0. Save it smaller."]


def test_without_a_model_pack_each_photo_says_what_to_do(enroller: Client, ada: Person) -> None:
    ModelPack.objects.update(is_active=False)
    sent = {"photos": [upload("alone.jpg", ALONE), upload("group.jpg", PHOTO)]}
    results = enroller.post(enrol_page(ada), sent, headers={"Accept": "application/json"}).json()["results"]
    assert all("faceweb models use" in outcome["reasons"][0] for outcome in results)
    assert len(results) == 2
    assert not FaceSample.objects.exists()


def test_a_face_of_a_pack_that_was_switched_meanwhile_is_no_sample(
    enroller: Client, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = dataclasses.replace(fakes.probe(), pack_digest="another")
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({ALONE: (fakes.embedded(other),)})])
    sent = {"photos": upload("alone.jpg", ALONE)}
    (outcome,) = enroller.post(enrol_page(ada), sent, headers={"Accept": "application/json"}).json()["results"]
    assert "try again" in outcome["reasons"][0]
    assert not FaceSample.objects.exists()


def test_the_script_of_the_page_is_told_where_to_choose(enroller: Client, ada: Person) -> None:
    sent = {"photos": upload("group.jpg", PHOTO)}
    (outcome,) = enroller.post(enrol_page(ada), sent, headers={"Accept": "application/json"}).json()["results"]
    assert outcome["choose"] == choose_page(WaitingPhoto.objects.get())


def test_the_upload_page_lists_what_waits_for_this_person_alone(enroller: Client, ada: Person) -> None:
    fakes.waiting_photo(fakes.person("Bo"), fakes.user(), file_name="of-bo.jpg")
    fakes.waiting_photo(ada, fakes.user(), file_name="of-ada.jpg")
    page = enroller.get(enrol_page(ada)).content.decode()
    assert "of-ada.jpg" in page
    assert "of-bo.jpg" not in page


def test_a_photo_whose_hour_is_over_is_not_listed(enroller: Client, ada: Person) -> None:
    waits = fakes.waiting_photo(ada, fakes.user())
    over = fakes.waiting_photo(ada, fakes.user(), expires_at=timezone.now())
    page = enroller.get(enrol_page(ada)).content.decode()
    assert choose_page(waits) in page
    assert choose_page(over) not in page


def test_the_page_shows_each_face_as_a_button_at_its_place_and_says_what_is_wrong_with_it(
    enroller: Client, ada: Person
) -> None:
    photo = fakes.waiting_photo(ada, fakes.user())
    response = enroller.get(choose_page(photo))
    page = response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert '<foreignObject x="100" y="100" width="112" height="112" font-size="45">' in page
    assert page.count('name="face" value="1"') == 2
    assert page.count('name="face" value="2"') == 1
    assert "The face is too small: 20 px, needs 48 px" in page
    assert " style=" not in page[page.index("faceweb-choose") : page.index("</form>", page.index("faceweb-choose"))]


def test_the_picture_is_kept_by_no_browser_and_gone_after_its_hour(enroller: Client, ada: Person) -> None:
    photo = fakes.waiting_photo(ada, fakes.user())
    address = reverse("waiting-photo", args=[photo.pk])
    response = enroller.get(address)
    assert (response.content, response["Cache-Control"]) == (b"a preview", "no-store")
    WaitingPhoto.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert enroller.get(address).status_code == 404


def test_the_chosen_face_is_enrolled(enroller: Client, ada: Person) -> None:
    photo = fakes.waiting_photo(ada, fakes.user())
    page = enroller.post(choose_page(photo), {"face": "1"}, follow=True).content.decode()
    assert "Face 1 is enrolled." in page
    assert FaceSample.objects.get().person == ada
    assert not WaitingPhoto.objects.exists()


@pytest.mark.parametrize("sent", [{}, {"face": "9"}, {"face": "one"}])
def test_a_choice_of_nothing_is_answered_with_the_page(enroller: Client, ada: Person, sent: dict[str, str]) -> None:
    photo = fakes.waiting_photo(ada, fakes.user())
    page = enroller.post(choose_page(photo), sent).content.decode()
    assert "Choose one of the numbered faces." in page
    assert not FaceSample.objects.exists()


def test_none_of_them_removes_the_photo(enroller: Client, ada: Person) -> None:
    photo = fakes.waiting_photo(ada, fakes.user())
    page = enroller.post(choose_page(photo), {"discard": "1"}, follow=True).content.decode()
    assert "The photo is removed; nobody was enrolled." in page
    assert not WaitingPhoto.objects.exists()


def test_a_photo_that_waits_no_more_is_told_on_the_upload_page(enroller: Client, ada: Person) -> None:
    photo = fakes.waiting_photo(ada, fakes.user(), expires_at=timezone.now())
    page = enroller.post(choose_page(photo), {"face": "1"}, follow=True).content.decode()
    assert "The photo does not wait any more" in page
    assert not FaceSample.objects.exists()


def test_a_photo_of_one_person_is_not_chosen_for_another(enroller: Client, ada: Person) -> None:
    photo = fakes.waiting_photo(fakes.person("Bo"), fakes.user())
    address = reverse("admin:recognition_person_choose", args=[ada.pk, photo.pk])
    enroller.post(address, {"face": "1"})
    assert not FaceSample.objects.exists()
