"""How far the guided enrolment of a person is."""

from __future__ import annotations

from collections.abc import Mapping

from recognition.decision.coverage import Pose
from recognition.models import FaceSample, Person


def samples_by_pose(person: Person) -> Mapping[Pose, FaceSample | None]:
    """The newest sample that was taken for each pose; None for a pose that is still wanted."""
    found: dict[Pose, FaceSample | None] = dict.fromkeys(Pose)
    for sample in person.samples.exclude(pose="").order_by("created_at", "pk"):
        found[Pose(sample.pose)] = sample
    return found
