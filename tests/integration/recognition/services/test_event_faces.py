"""The face of an event becomes a sample by what was measured when it was seen."""

from __future__ import annotations

import pytest

from recognition.decision.policy import SampleReason
from recognition.models import AuditEntry, EventCrop, FaceSample, Person, RecognitionEvent
from recognition.services import analysis, event_faces
from recognition.vision.types import Quality
from tests import fakes

pytestmark = pytest.mark.django_db

CROP = b"a kept picture"
IN_THE_MIDDLE = fakes.box(x=43, y=43)
AT_THE_EDGE = fakes.box(x=150, y=100)


def seen(quality: Quality | None = None, *, crop: bytes = CROP) -> RecognitionEvent:
    event = fakes.event(decision="reject_no_match", quality=(quality or fakes.quality()).as_json())
    if crop:
        EventCrop.objects.create(event=event, jpeg=crop)
    return event


@pytest.fixture(autouse=True)
def analyser(monkeypatch: pytest.MonkeyPatch) -> fakes.FakeAnalyser:
    fakes.activated_pack()
    found = fakes.FakeAnalyser({CROP: (fakes.embedded(where=AT_THE_EDGE), fakes.embedded(where=IN_THE_MIDDLE))})
    monkeypatch.setattr(analysis, "_analysers", [found])
    return found


def test_somebody_new_gets_a_person_and_a_sample_that_tells_the_event() -> None:
    event, actor = seen(fakes.quality(face_size_px=61.0)), fakes.user()
    person, result = event_faces.enrol_as_new_person(event=event, name="Ada", actor=actor)
    sample = FaceSample.objects.get()
    assert result.accepted
    assert (sample.pk, sample.person, sample.source, sample.event) == (result.sample_id, person, "event", event)
    assert sample.quality["face_size_px"] == 61.0, "as it was seen, not as the kept picture shows it"
    added = AuditEntry.objects.get(action="sample.added")
    assert (added.actor, added.details["event"]) == (actor, event.pk)
    assert AuditEntry.objects.filter(action="person.enrolled", actor=actor).count() == 1


def test_the_face_may_be_a_further_sample_of_somebody() -> None:
    ada = fakes.person("Ada")
    assert event_faces.enrol(event=seen(), person=ada, actor=None).accepted
    assert FaceSample.objects.get().person == ada


@pytest.mark.parametrize(
    ("quality", "reason"),
    [
        (fakes.quality(face_size_px=30.0), SampleReason.FACE_TOO_SMALL),
        (fakes.quality(luminance_mean=0.01), SampleReason.TOO_DARK),
    ],
)
def test_what_was_too_bad_when_it_was_seen_is_refused_whatever_the_kept_picture_looks_like(
    quality: Quality, reason: SampleReason, analyser: fakes.FakeAnalyser
) -> None:
    _, result = event_faces.enrol_as_new_person(event=seen(quality), name="Ada", actor=None)
    assert [fault.reason for fault in result.faults] == [reason]
    assert not analyser.seen
    assert not Person.objects.exists()
    assert not AuditEntry.objects.filter(action="person.enrolled").exists()


@pytest.mark.parametrize("crop", [b"", b"a wall"])
def test_an_event_without_a_face_to_see_enrols_nobody(crop: bytes) -> None:
    _, result = event_faces.enrol_as_new_person(event=seen(crop=crop), name="Ada", actor=None)
    assert [fault.reason for fault in result.faults] == [SampleReason.NO_FACE]
    assert not Person.objects.exists()


def test_the_same_face_is_enrolled_once_a_person() -> None:
    event, ada = seen(), fakes.person("Ada")
    event_faces.enrol(event=event, person=ada, actor=None)
    again = event_faces.enrol(event=event, person=ada, actor=None)
    assert [fault.reason for fault in again.faults] == [SampleReason.DUPLICATE_SAMPLE]
    assert FaceSample.objects.count() == 1


def test_the_sample_stays_when_its_event_is_removed() -> None:
    event = seen()
    event_faces.enrol(event=event, person=fakes.person("Ada"), actor=None)
    event.delete()
    assert FaceSample.objects.get().event is None
