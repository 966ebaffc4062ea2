"""Whose enrolment deserves a look: few views, never recognised, or not for long."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.db.models import Max

from recognition.decision import coverage
from recognition.decision.coverage import Pose
from recognition.models import FaceSample, Person, RecognitionEvent
from recognition.selectors.people import recognised

FEWEST_SAMPLES = 2
"""On LFW a second photo cut the missed identifications to less than half (docs/howto/enrol.md)."""

ROWS_AT_A_TIME = 2000


@dataclasses.dataclass(frozen=True, slots=True)
class Enrolled:
    """Somebody whom a search may find.

    Args:
        person: primary key.
        since: when they were enrolled.
        samples: how many samples of theirs are searched.
        sample: one that stands for them; None where there is none.
        no_front: whether no sample shows them from the front.
        last_seen: when they were last recognised, also as somebody who was merged into them; None for never.
    """

    person: int
    since: dt.datetime
    samples: int
    sample: int | None
    no_front: bool
    last_seen: dt.datetime | None


def everybody() -> tuple[Enrolled, ...]:
    """All people whom a search may find, in the order of their keys; three queries whatever their number."""
    samples: dict[int, list[tuple[int, dict[str, object], str]]] = {}
    searched = FaceSample.objects.filter(
        status=FaceSample.Status.ACTIVE, person__in=Person.objects.filter(recognised())
    )
    rows = searched.order_by("pk").values_list("pk", "person_id", "quality", "pose")
    for sample, person, quality, pose in rows.iterator(chunk_size=ROWS_AT_A_TIME):
        samples.setdefault(person, []).append((sample, quality, pose))
    seen = _last_seen()
    found = []
    for person, since in Person.objects.filter(recognised()).order_by("pk").values_list("pk", "created_at"):
        own = samples.get(person, [])
        shown = coverage.of_samples((quality, pose) for _, quality, pose in own)
        newest = own[-1][0] if own else None
        found.append(Enrolled(person, since, len(own), newest, Pose.FRONT in shown.missing_poses, seen.get(person)))
    return tuple(found)


def _last_seen() -> dict[int, dt.datetime]:
    """When each person was last recognised; what somebody did who was merged counts for who they are now."""
    now_called = dict(Person.objects.exclude(merged_into=None).values_list("pk", "merged_into_id"))
    newest: dict[int, dt.datetime] = {}
    events = RecognitionEvent.objects.exclude(person=None).order_by().values_list("person_id")
    for recognised_as, moment in events.annotate(moment=Max("decided_at")):
        person = recognised_as
        while person in now_called:
            person = now_called[person]
        newest[person] = max(moment, newest.get(person, moment))
    return newest
