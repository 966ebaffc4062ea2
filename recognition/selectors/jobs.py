"""What the jobs page shows beside the jobs themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db.models import Count, Min
from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateWorker

from recognition.models import Job, Person

ALIVE_S = 30.0
"""A jobs process says every two seconds that it lives; one that was silent for so long does not."""


def is_anybody_working() -> bool:
    """Whether some process takes jobs, on this machine or on another."""
    since = Now() - dt.timedelta(seconds=ALIVE_S)
    return ProcrastinateWorker.objects.filter(last_heartbeat__gte=since).exists()


def names(person_ids: Iterable[int]) -> Mapping[int, str]:
    """The names of those people who are still there, by primary key."""
    return dict(Person.objects.filter(pk__in=set(person_ids)).values_list("pk", "name"))


def counts() -> Mapping[tuple[str, str], int]:
    """How many jobs there are of each kind in each state; of every kind and state, also where there is none."""
    found = Job.objects.order_by().values_list("kind", "state").annotate(count=Count("pk"))
    none = {(kind, state): 0 for kind in Job.Kind.values for state in Job.State.values}
    return none | {(kind, state): count for kind, state, count in found}


def oldest_waiting_s(*, now: dt.datetime) -> float:
    """How long the oldest job that no process has taken has waited, in seconds; 0 where none waits.

    Args:
        now: with a time zone.
    """
    oldest = Job.objects.filter(state=Job.State.QUEUED).aggregate(at=Min("requested_at"))["at"]
    return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
