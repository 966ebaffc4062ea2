"""What the jobs page shows beside the jobs themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateWorker

from recognition.models import Person

ALIVE_S = 30.0
"""A jobs process says every two seconds that it lives; one that was silent for so long does not."""


def is_anybody_working() -> bool:
    """Whether some process takes jobs, on this machine or on another."""
    since = Now() - dt.timedelta(seconds=ALIVE_S)
    return ProcrastinateWorker.objects.filter(last_heartbeat__gte=since).exists()


def names(person_ids: Iterable[int]) -> Mapping[int, str]:
    """The names of those people who are still there, by primary key."""
    return dict(Person.objects.filter(pk__in=set(person_ids)).values_list("pk", "name"))
