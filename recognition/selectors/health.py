"""Whose enrolment deserves a look: few views, never recognised, or not for long."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping

from django.db.models import Max, Q

from recognition.decision import coverage
from recognition.decision.coverage import Pose
from recognition.models import FaceSample, Person, RecognitionEvent
from recognition.selectors.people import recognised

FEWEST_SAMPLES = 2
"""On LFW a second photo cut the missed identifications to less than half (docs/howto/enrol.md)."""

UNSEEN_AFTER = dt.timedelta(days=30)
"""Who was never recognised for so long after they were enrolled may have photos that show somebody else."""

STALE_AFTER = dt.timedelta(days=180)
"""Whom nobody has recognised for so long may have left, or look different by now."""

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

    @property
    def is_thin(self) -> bool:
        """Whether a search has few views of them."""
        return self.samples < FEWEST_SAMPLES or self.no_front

    def is_unseen(self, now: dt.datetime) -> bool:
        """Whether they could have been recognised for long, and never were."""
        return bool(self.samples) and self.last_seen is None and self.since < now - UNSEEN_AFTER

    def is_stale(self, now: dt.datetime) -> bool:
        """Whether they were recognised, and not for long."""
        return self.last_seen is not None and self.last_seen < now - STALE_AFTER


def everybody(among: Collection[int] | None = None) -> tuple[Enrolled, ...]:
    """All people whom a search may find, in the order of their keys; four queries whatever their number.

    Args:
        among: primary keys of those that are asked for; None for all.
    """
    asked = recognised() if among is None else recognised() & Q(pk__in=among)
    samples: dict[int, list[tuple[int, dict[str, object], str]]] = {}
    searched = FaceSample.objects.filter(status=FaceSample.Status.ACTIVE, person__in=Person.objects.filter(asked))
    rows = searched.order_by("pk").values_list("pk", "person_id", "quality", "pose")
    for sample, person, quality, pose in rows.iterator(chunk_size=ROWS_AT_A_TIME):
        samples.setdefault(person, []).append((sample, quality, pose))
    seen = _last_seen(among)
    found = []
    for person, since in Person.objects.filter(asked).order_by("pk").values_list("pk", "created_at"):
        own = samples.get(person, [])
        shown = coverage.of_samples((quality, pose) for _, quality, pose in own)
        newest = own[-1][0] if own else None
        found.append(Enrolled(person, since, len(own), newest, Pose.FRONT in shown.missing_poses, seen.get(person)))
    return tuple(found)


def _last_seen(among: Collection[int] | None) -> dict[int, dt.datetime]:
    """When each person was last recognised; what somebody did who was merged counts for who they are now."""
    merged_into = dict(Person.objects.exclude(merged_into=None).values_list("pk", "merged_into_id"))
    now_called = {row: _followed(row, merged_into) for row in merged_into}
    events = RecognitionEvent.objects.exclude(person=None).order_by()
    if among is not None:
        wanted = set(among)
        events = events.filter(person__in=wanted | {row for row, person in now_called.items() if person in wanted})
    newest: dict[int, dt.datetime] = {}
    for recognised_as, moment in events.values_list("person_id").annotate(moment=Max("decided_at")):
        person = now_called.get(recognised_as, recognised_as)
        newest[person] = max(moment, newest.get(person, moment))
    return newest


def _followed(row: int, merged_into: Mapping[int, int]) -> int:
    while row in merged_into:
        row = merged_into[row]
    return row
