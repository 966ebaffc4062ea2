"""Whether the parts of the system do what they are there for, as far as a web process can tell."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import shutil

from recognition import conf
from recognition.models import ActionDelivery, Job
from recognition.selectors import classifiers, jobs, packs
from recognition.selectors.packs import NoActivePack

LEAST_FREE_BYTES = 2**30
"""A full disk ends the database; by then somebody should have been told for days."""

LATELY = dt.timedelta(days=1)

NO_PROBLEM_OF_OURS = ("video_gone", "video_too_long", "video_unreadable", "person_gone")
"""Why jobs fail that ask too much: whoever asked sees it where they asked, and nobody else has to do anything."""


class Part(enum.StrEnum):
    """What is looked at."""

    RECOGNITION = "recognition"
    JOBS = "jobs"
    THRESHOLDS = "thresholds"
    CLASSIFIERS = "classifiers"
    DISK = "disk"
    FAILED_JOBS = "failed_jobs"
    WEBHOOKS = "webhooks"


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """One part of the system.

    Args:
        part: which one.
        is_well: whether nobody has to do anything.
        number: what belongs to the part: free bytes, failed jobs, lost calls, missing classifiers; 0 for others.
    """

    part: Part
    is_well: bool
    number: int = 0


def look(*, now: dt.datetime, recognises: bool) -> tuple[State, ...]:
    """Every part, in the order in which the loss of one is felt.

    Args:
        now: with a time zone.
        recognises: whether some recognition worker can be asked; who asks knows how it reaches one.
    """
    since = now - LATELY
    failed = Job.objects.filter(state=Job.State.FAILED, finished_at__gte=since)
    failed_count = failed.exclude(error_code__in=NO_PROBLEM_OF_OURS).count()
    lost = ActionDelivery.objects.filter(state=ActionDelivery.State.EXPIRED, expires_at__gte=since).count()
    unusable = _unusable_classifiers()
    free = shutil.disk_usage(conf.state_dir()).free
    return (
        State(Part.RECOGNITION, recognises),
        State(Part.THRESHOLDS, _decides()),
        State(Part.CLASSIFIERS, not unusable, unusable),
        State(Part.JOBS, jobs.is_anybody_working()),
        State(Part.DISK, free >= LEAST_FREE_BYTES, free),
        State(Part.WEBHOOKS, not lost, lost),
        State(Part.FAILED_JOBS, not failed_count, failed_count),
    )


def _unusable_classifiers() -> int:
    """How many kinds of classifiers policies in force ask in vain."""
    try:
        pack = packs.active()
    except NoActivePack:
        return 0
    return sum(classifiers.usable(pack, strategy) is None for strategy in classifiers.asked_for(pack.id))


def _decides() -> bool:
    try:
        return packs.active().policy is not None
    except NoActivePack:
        return False
