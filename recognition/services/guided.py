"""Guided enrolment: judges one picture of the camera after the other, and enrols the very one that is good."""

from __future__ import annotations

import dataclasses
import hashlib

from django.contrib.auth.models import User

from recognition.decision import guidance
from recognition.decision.coverage import Pose
from recognition.decision.guidance import Advice
from recognition.models import FaceSample, Person
from recognition.selectors import guided
from recognition.services import analysis, enrolment, people
from recognition.vision.errors import ImageError
from recognition.vision.types import BoundingBox


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """What one picture led to.

    Args:
        advice: what to tell whoever stands there; `TAKE` when the pose has its sample now.
        box: where the face is, in pixels of the picture, for the next look; None where there is none to follow.
    """

    advice: Advice
    box: BoundingBox | None = None


def look(*, person: Person, data: bytes, wanted: Pose, before: BoundingBox | None, actor: User | None) -> Look:
    """Judges a picture, and enrols its face when it is a good one of the wanted pose.

    The gates that advise are those that refuse samples, asked once for the same measurements. Poses of one sitting are
    alike, so that alone sets none of them aside; other doubts do, and the pose has its sample nonetheless.

    Args:
        person: whose face it is.
        data: the picture as it came from the camera.
        wanted: the pose that is asked for.
        before: where the face was in the picture before; None for the first one.
        actor: who enrols.

    Raises:
        AnalyserUnavailable: when no worker can look at the picture.
        NoActivePack: when no model pack was activated.
        PackMismatch: when the pack was switched meanwhile; the next picture will do.
    """
    taken = guided.samples_by_pose(person)
    if taken[wanted] is not None:
        # An answer that got lost, or a second page: nothing is taken twice.
        return Look(Advice.TAKE)
    try:
        faces = analysis.analyse(data)
    except ImageError:
        return Look(Advice.UNREADABLE)
    face, faults = enrolment.chosen_face(faces=faces, gates=enrolment.active_gates())
    if face is None:
        return Look(guidance.of_faults(faults))
    box = face.face.box
    advice = guidance.advise(
        quality=face.quality,
        box=box,
        before=before,
        wanted=wanted,
        level_pitch_degrees=_level_pitch(taken[Pose.FRONT]),
    )
    if advice is not Advice.TAKE:
        return Look(advice, box)
    result = enrolment.add_faces(
        person=person,
        image_sha256=hashlib.sha256(data).hexdigest(),
        faces=faces,
        source=FaceSample.Source.GUIDED,
        actor=actor,
        pose=wanted,
    )
    return Look(advice, box) if result.is_stored else Look(guidance.of_faults(result.faults), box)


def _level_pitch(front: FaceSample | None) -> float:
    """What the person's face measures when it looks straight; 0 while nobody knows."""
    return float(front.quality["pitch_degrees"]) if front is not None else 0.0


def retake(*, person: Person, pose: Pose, actor: User | None) -> None:
    """Deletes the sample that a pose has, so that the pose is wanted again; without one, nothing."""
    sample = guided.samples_by_pose(person)[pose]
    if sample is not None:
        people.delete_sample(sample=sample, actor=actor)
