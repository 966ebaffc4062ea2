from __future__ import annotations

import datetime as dt
import hashlib

import numpy as np
import pytest
from django.contrib.auth.models import User

from recognition.models import FaceSample, FaceTemplate, Person, WaitingPhoto
from recognition.selectors import people
from recognition.services import analysis, choosing, enrolment
from recognition.services.choosing import NoSuchFace
from recognition.vision import images
from recognition.vision.types import EmbeddedFace, Size
from tests import faces, fakes

PHOTO = faces.jpeg(np.zeros((480, 2560, 3), np.uint8))
RIGHT_FACE = fakes.embedded(fakes.like_probe(0.9, axis=2), where=fakes.box(x=900))
LEFT_FACE = fakes.embedded(where=fakes.box(x=100))
SMALL_FACE = fakes.embedded(where=fakes.box(x=500), seen=fakes.quality(face_size_px=20))
FOUND = (RIGHT_FACE, LEFT_FACE, SMALL_FACE)

pytestmark = pytest.mark.django_db


@pytest.fixture
def analyser(monkeypatch: pytest.MonkeyPatch) -> fakes.FakeAnalyser:
    fakes.activated_pack()
    connected = fakes.FakeAnalyser({PHOTO: FOUND})
    monkeypatch.setattr(analysis, "_analysers", [connected])
    return connected


@pytest.fixture
def ada(analyser: fakes.FakeAnalyser) -> Person:
    return fakes.person("Ada")


@pytest.fixture
def enroller() -> User:
    return fakes.user("add_facesample")


def keep(
    person: Person, actor: User, *, found: tuple[EmbeddedFace, ...] = FOUND, now: dt.datetime = fakes.NOW
) -> WaitingPhoto:
    return choosing.keep(person=person, file_name="group.jpg", data=PHOTO, faces=found, actor=actor, now=now)


def test_an_upload_with_several_faces_says_which_there_are(ada: Person, enroller: User) -> None:
    result = enrolment.add_sample(person=ada, data=PHOTO, source=FaceSample.Source.UPLOAD, actor=enroller)
    assert not result.accepted
    assert [fault.reason.value for fault in result.faults] == ["multiple_faces"]
    assert result.to_choose_from == FOUND


def test_a_kept_photo_has_its_faces_from_left_to_right_with_what_stands_against_them(
    ada: Person, enroller: User
) -> None:
    photo = keep(ada, enroller)
    assert [face["box"][0] for face in photo.faces] == [100, 500, 900]
    assert [len(face["faults"]) for face in photo.faces] == [0, 1, 0]
    assert photo.faces[1]["faults"] == [{"reason": "face_too_small", "measured": 20, "required": 48}]
    assert (photo.width, photo.height, photo.file_name) == (2560, 480, "group.jpg")
    assert Size.of(images.decode(bytes(photo.preview_jpeg))) == Size(1280, 240)


def test_a_photo_that_is_sent_twice_waits_once_and_an_hour_from_then_on(ada: Person, enroller: User) -> None:
    keep(ada, enroller)
    later = fakes.NOW + dt.timedelta(minutes=50)
    photo = keep(ada, enroller, now=later)
    assert WaitingPhoto.objects.get() == photo
    assert photo.expires_at == later + dt.timedelta(hours=1)


@pytest.mark.parametrize(("number", "chosen"), [(1, LEFT_FACE), (3, RIGHT_FACE)])
def test_the_chosen_face_is_enrolled_and_the_photo_is_gone(
    ada: Person, enroller: User, number: int, chosen: EmbeddedFace
) -> None:
    result = choosing.choose(photo=keep(ada, enroller), number=number, actor=enroller)
    assert result.accepted
    template = FaceTemplate.objects.get()
    assert np.allclose(template.embedding, chosen.embedding.vector)
    assert template.sample.person == ada
    assert template.sample.created_by == enroller
    assert template.sample.image_sha256 == hashlib.sha256(PHOTO).hexdigest()
    assert not WaitingPhoto.objects.exists()


def test_a_face_below_the_gates_is_refused_with_its_reason_and_the_photo_waits_on(ada: Person, enroller: User) -> None:
    result = choosing.choose(photo=keep(ada, enroller), number=2, actor=enroller)
    assert [fault.reason.value for fault in result.faults] == ["face_too_small"]
    assert WaitingPhoto.objects.exists()


def test_a_face_that_is_found_no_more_is_not_taken_for_its_neighbour(
    ada: Person, enroller: User, analyser: fakes.FakeAnalyser
) -> None:
    photo = keep(ada, enroller)
    analyser.faces_of = {PHOTO: (RIGHT_FACE,)}
    result = choosing.choose(photo=photo, number=1, actor=enroller)
    assert [fault.reason.value for fault in result.faults] == ["no_face"]


@pytest.mark.parametrize("number", [-1, 0, 4])
def test_a_number_of_no_face_is_an_error(ada: Person, enroller: User, number: int) -> None:
    photo = keep(ada, enroller)
    with pytest.raises(NoSuchFace, match=rf"expected 1\.\.3, got {number}"):
        choosing.choose(photo=photo, number=number, actor=enroller)


def test_a_photo_is_not_shown_after_its_hour_and_waits_anew_when_it_is_sent_again(ada: Person, enroller: User) -> None:
    photo = keep(ada, enroller)
    just_before, over = photo.expires_at - dt.timedelta(seconds=1), photo.expires_at
    assert people.waiting_photos(just_before).count() == 1
    assert people.waiting_photos(over).count() == 0
    keep(ada, enroller, now=over)
    assert people.waiting_photos(over).get() == WaitingPhoto.objects.get() == photo


def test_nothing_is_forgotten_before_its_time(ada: Person, enroller: User) -> None:
    keep(ada, enroller)
    assert choosing.forget_expired(now=fakes.NOW) == 0
    assert choosing.forget_expired(now=fakes.NOW + choosing.LIFETIME) == 1


def test_a_discarded_photo_enrols_nobody(ada: Person, enroller: User) -> None:
    choosing.discard(photo=keep(ada, enroller))
    assert not WaitingPhoto.objects.exists()
    assert not FaceSample.objects.exists()


def test_a_waiting_photo_goes_with_its_person(ada: Person, enroller: User) -> None:
    keep(ada, enroller)
    ada.delete()
    assert not WaitingPhoto.objects.exists()
