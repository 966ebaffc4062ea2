"""One picture after the other is judged, and the good one enrolled."""

from __future__ import annotations

import pytest

from recognition.decision.coverage import Pose
from recognition.decision.guidance import Advice
from recognition.models import AuditEntry, FaceSample, Person
from recognition.selectors import guided as selectors
from recognition.services import analysis, guided
from recognition.vision.errors import ImageError
from recognition.vision.types import EmbeddedFace, Embedding, Quality
from tests import fakes

pytestmark = pytest.mark.django_db

PICTURE = b"a picture of the camera"
WHERE = fakes.box()


@pytest.fixture(autouse=True)
def pack() -> None:
    fakes.activated_pack()


@pytest.fixture
def ada() -> Person:
    return fakes.person("Ada")


def camera_shows(monkeypatch: pytest.MonkeyPatch, *faces: EmbeddedFace, picture: bytes = PICTURE) -> None:
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({picture: faces})])


def look(person: Person, wanted: Pose = Pose.FRONT, picture: bytes = PICTURE) -> Advice:
    return guided.look(person=person, data=picture, wanted=wanted, before=WHERE, actor=None).advice


def face(embedding: Embedding | None = None, seen: Quality | None = None) -> EmbeddedFace:
    return fakes.embedded(embedding, where=WHERE, seen=seen)


@pytest.mark.parametrize(
    ("faces", "advice"),
    [
        ((), Advice.COME_INTO_VIEW),
        ((face(), face()), Advice.ONE_PERSON),
        ((face(seen=fakes.quality(face_size_px=30.0)),), Advice.CLOSER),
        ((face(seen=fakes.quality(luminance_mean=0.05)),), Advice.MORE_LIGHT),
        ((face(seen=fakes.quality(yaw_degrees=30.0)),), Advice.LOOK_STRAIGHT),
    ],
)
def test_what_is_not_good_is_told_and_not_taken(
    monkeypatch: pytest.MonkeyPatch, ada: Person, faces: tuple[EmbeddedFace, ...], advice: Advice
) -> None:
    camera_shows(monkeypatch, *faces)
    assert look(ada) is advice
    assert not FaceSample.objects.exists()


def test_the_first_look_only_follows(monkeypatch: pytest.MonkeyPatch, ada: Person) -> None:
    camera_shows(monkeypatch, face())
    seen = guided.look(person=ada, data=PICTURE, wanted=Pose.FRONT, before=None, actor=None)
    assert (seen.advice, seen.box) == (Advice.HOLD_STILL, WHERE)
    assert not FaceSample.objects.exists()


def test_a_picture_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch, ada: Person) -> None:
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({PICTURE: ImageError("broken")})])
    assert look(ada) is Advice.UNREADABLE


def test_the_very_picture_that_is_good_becomes_the_sample(monkeypatch: pytest.MonkeyPatch, ada: Person) -> None:
    camera_shows(monkeypatch, face())
    actor = fakes.user()
    guided.look(person=ada, data=PICTURE, wanted=Pose.FRONT, before=WHERE, actor=actor)
    sample = FaceSample.objects.get()
    assert (sample.person, sample.source, sample.pose, sample.status) == (ada, "guided", "front", "active")
    assert AuditEntry.objects.get(action="sample.added").actor == actor


def test_poses_of_one_sitting_may_be_alike(monkeypatch: pytest.MonkeyPatch, ada: Person) -> None:
    camera_shows(monkeypatch, face(), picture=b"first")
    look(ada, Pose.FRONT, b"first")
    turned = face(fakes.like_probe(0.99), fakes.quality(yaw_degrees=30.0))
    camera_shows(monkeypatch, turned, picture=b"second")
    assert look(ada, Pose.LEFT, b"second") is Advice.TAKE
    assert set(FaceSample.objects.values_list("pose", "status")) == {("front", "active"), ("left", "active")}


def test_up_counts_from_the_front_that_was_taken(monkeypatch: pytest.MonkeyPatch, ada: Person) -> None:
    camera_shows(monkeypatch, face(seen=fakes.quality(pitch_degrees=5.0)), picture=b"first")
    assert look(ada, Pose.FRONT, b"first") is Advice.TAKE
    camera_shows(monkeypatch, face(fakes.like_probe(0.9), fakes.quality(pitch_degrees=-4.0)), picture=b"second")
    assert look(ada, Pose.UP, b"second") is Advice.TAKE


def test_a_face_of_somebody_else_fills_the_pose_and_is_set_aside(monkeypatch: pytest.MonkeyPatch, ada: Person) -> None:
    fakes.person("Bo", fakes.probe())
    camera_shows(monkeypatch, face())
    assert look(ada) is Advice.TAKE
    sample = selectors.samples_by_pose(ada)[Pose.FRONT]
    assert sample is not None
    assert (sample.status, sample.doubts[0]["reason"]) == ("set_aside", "identity_conflict")


def test_a_pose_that_has_its_sample_takes_no_second_one(monkeypatch: pytest.MonkeyPatch, ada: Person) -> None:
    camera_shows(monkeypatch, face())
    look(ada)
    monkeypatch.setattr(analysis, "_analysers", [])
    assert look(ada, picture=b"another") is Advice.TAKE
    assert FaceSample.objects.count() == 1


def test_a_picture_that_is_enrolled_already_waits_for_the_next(monkeypatch: pytest.MonkeyPatch, ada: Person) -> None:
    camera_shows(monkeypatch, face())
    look(ada)
    FaceSample.objects.update(pose="")
    assert look(ada) is Advice.HOLD_STILL
    assert FaceSample.objects.count() == 1


def test_retaking_deletes_the_sample_of_that_pose_alone(monkeypatch: pytest.MonkeyPatch, ada: Person) -> None:
    camera_shows(monkeypatch, face())
    look(ada)
    guided.retake(person=ada, pose=Pose.LEFT, actor=None)
    assert FaceSample.objects.count() == 1
    guided.retake(person=ada, pose=Pose.FRONT, actor=None)
    assert not FaceSample.objects.exists()
    assert AuditEntry.objects.filter(action="sample.deleted").count() == 1


def test_without_a_worker_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, ada: Person) -> None:
    monkeypatch.setattr(analysis, "_analysers", [])
    with pytest.raises(analysis.AnalyserUnavailable, match="worker"):
        look(ada)
