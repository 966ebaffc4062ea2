"""Enrols the face of a recognition event: of somebody new, or as another sample of somebody who is enrolled."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from recognition.decision.policy import QualityFault, SampleReason
from recognition.models import EventCrop, FaceSample, Person, RecognitionEvent
from recognition.selectors import packs
from recognition.services import enrolment, people
from recognition.services.enrolment import SampleResult
from recognition.vision.pipeline import PROBE_CROP
from recognition.vision.types import BoundingBox, Quality


def faults(*, event: RecognitionEvent) -> tuple[QualityFault, ...]:
    """Why the face of an event cannot become a sample, by what was measured in the camera's own picture.

    The kept picture is scaled to one size, in which a face of 30 pixels would look large enough: so what it was
    measured by decides, not the picture.

    Raises:
        NoActivePack: when no model pack was activated.
    """
    if not event.quality or not EventCrop.objects.filter(event=event).exists():
        return (QualityFault(SampleReason.NO_FACE, 0, 1),)
    return enrolment.gates_of(packs.active()).faults(Quality.from_json(event.quality))


def enrol(*, event: RecognitionEvent, person: Person, actor: User | None) -> SampleResult:
    """Adds the face of an event to a person's samples, or says why not.

    Args:
        event: whose picture it is; the sample keeps the link, and the measurements of the event.
        person: whose face it is.
        actor: who enrols.

    Raises:
        AnalyserUnavailable: when no worker can look at the picture.
        NoActivePack: when no model pack was activated.
    """
    found = faults(event=event)
    if found:
        return SampleResult(None, found)
    return enrolment.add_sample(
        person=person,
        data=bytes(event.crop.jpeg),
        source=FaceSample.Source.EVENT,
        actor=actor,
        chosen=_middle(),
        event=event,
    )


@transaction.atomic
def enrol_as_new_person(*, event: RecognitionEvent, name: str, actor: User | None) -> tuple[Person, SampleResult]:
    """Enrols somebody new by the face of an event; nobody, where the face is refused.

    Args:
        event: whose picture it is.
        name: of the new person, 1 to 200 characters.
        actor: who enrols.

    Raises:
        AnalyserUnavailable: when no worker can look at the picture.
        NoActivePack: when no model pack was activated.
    """
    person = Person(name=name)
    people.save_person(person=person, changed=["name"], actor=actor)
    result = enrol(event=event, person=person, actor=actor)
    if not result.is_stored:
        # A person without a sample would be found by nobody, and be there twice after the next try.
        transaction.set_rollback(True)
    return person, result


def _middle() -> BoundingBox:
    """Where the face lies in the kept picture; others may show at its edges."""
    side = PROBE_CROP.side_px
    margin = (side - side / PROBE_CROP.context) / 2
    return BoundingBox(margin, margin, side - margin, side - margin)
