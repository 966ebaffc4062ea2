"""Jobs of processes that died, given back to the queue."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from recognition.services.jobs import CHORES, QUEUE

HEARTBEAT_S = 2.0
"""How often a jobs process says that it lives."""

DEAD_AFTER_S = 20.0
"""A process that said nothing for this long is dead; a busy machine may hold one up for some seconds. If it is only
late, two processes have the job, and the one that had it first keeps nothing more: see `services.jobs.Superseded`."""


@transaction.atomic
def give_back() -> int:
    """Gives back what dead processes had in hand; of several that look at once, one does.

    Returns:
        How many jobs.
    """
    is_dead = Q(worker__last_heartbeat__lt=Now() - dt.timedelta(seconds=DEAD_AFTER_S))
    stalled = (
        ProcrastinateJob.objects.filter(
            Q(worker__isnull=True) | is_dead, status="doing", queue_name__in=(QUEUE, CHORES)
        )
        .select_for_update(skip_locked=True, of=("self",))
        .values_list("pk", flat=True)
    )
    numbers = list(stalled)
    for number in numbers:
        app.job_manager.retry_job_by_id(number, retry_at=timezone.now())
    return len(numbers)
