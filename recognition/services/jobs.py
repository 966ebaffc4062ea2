"""Long work: asked for, cancelled, and followed step by step by the process that does it.

A job is asked for and put into the queue in one transaction, by its name alone: whoever asks loads none of its code.
The process that takes it holds a `Run`. Every step that is kept names the run, and a run whose job another process has
taken meanwhile keeps nothing more, so that work is never done twice, even where a process that was believed dead wakes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext
from procrastinate.contrib.django import app

from recognition.models import AuditAction, Job
from recognition.services import audit

QUEUE = "faceweb"

CHORES = "faceweb_chores"
"""The queue of what is due by the clock: beside jobs, not after one that takes hours, as a long video does."""

MOST_INTERRUPTIONS = 5
"""A job whose process was killed this often is likely what kills it, and is given up."""

GAVE_UP = "gave_up"
"""The error code of a job that was given up."""


class JobRefused(Exception):
    """The job cannot be asked for or cancelled; the text is for the person who wanted it."""


class Superseded(Exception):
    """Another process has taken the job: this one keeps nothing more of it."""


class CancelRequested(Exception):
    """Somebody wants the job to end."""


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """A job in the hands of one process.

    Args:
        job_id: primary key of the job.
        attempt: counts the processes that have had it, this one included.
        parameters: as they were asked for.
        checkpoint: what `progress` kept last; empty at the start.
    """

    job_id: int
    attempt: int
    parameters: Mapping[str, Any]
    checkpoint: Mapping[str, Any]


def task_name(kind: Job.Kind) -> str:
    """What the queue calls jobs of that kind."""
    return f"faceweb.{kind.value}"


@transaction.atomic
def request(*, kind: Job.Kind, parameters: Mapping[str, Any], actor: User | None) -> Job:
    """Asks for a job; some process takes it once the transaction is committed.

    Args:
        kind: what is to be done.
        parameters: ids and numbers that JSON can hold; no name, no image.
        actor: who asks; None for the command line.

    Raises:
        JobRefused: when a job of that kind waits or runs already.
    """
    try:
        with transaction.atomic():
            job = Job.objects.create(kind=kind, parameters=dict(parameters), requested_by=actor)
    except IntegrityError as error:
        if Job.ONE_OF_A_KIND not in str(error):
            raise
        raise JobRefused(
            gettext("Such a job waits or runs already. Wait for its end, or cancel it; then ask again.")
        ) from error
    _put_into_queue(job)
    audit.record(action=AuditAction.JOB_REQUESTED, actor=actor, subject=job, details={"kind": str(kind)})
    return job


def requested(*, kind: Job.Kind, parameters: Mapping[str, Any], actor: User | None) -> Job:
    """The open job that does just this, or else a new one.

    Raises:
        JobRefused: when a job of that kind waits or runs that does something else.
    """
    try:
        return request(kind=kind, parameters=parameters, actor=actor)
    except JobRefused:
        same = Job.objects.filter(kind=kind, parameters=dict(parameters), state__in=Job.OPEN).first()
        if same is None:
            raise
        return same


def ask_for_gallery_check(*, actor: User | None) -> None:
    """Has the gallery looked through, now that it has grown; a check that waits already will see the new people too."""
    with contextlib.suppress(JobRefused):
        request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=actor)


@transaction.atomic
def cancel(*, job: Job, actor: User | None, now: dt.datetime) -> Job:
    """Ends a job: at once where it waits, after its current step where it runs.

    Args:
        job: which one.
        actor: who wants it; None for the command line.
        now: with a time zone.

    Raises:
        JobRefused: when it is over already.
    """
    held = Job.objects.select_for_update().get(pk=job.pk)
    if not held.is_open:
        raise JobRefused(gettext("The job is over already; there is nothing to cancel."))
    held.is_cancel_requested = True
    if held.state == Job.State.QUEUED:
        _end(held, Job.State.CANCELLED, now)
        if held.queue_number is not None:
            # A process that has just taken it from the queue finds it cancelled.
            app.job_manager.cancel_job_by_id(held.queue_number, delete_job=True)
    held.save()
    audit.record(action=AuditAction.JOB_CANCELLED, actor=actor, subject=held, details={"kind": held.kind})
    return held


@transaction.atomic
def begin(*, job_id: int, now: dt.datetime) -> Run | None:
    """Takes a job into this process's hands, from the queue or from a process that died.

    Args:
        job_id: primary key of the job.
        now: with a time zone.

    Returns:
        The run; None when there is nothing left to do: it is over, to be cancelled, given up, or was removed.
    """
    job = Job.objects.select_for_update().filter(pk=job_id).first()
    if job is None or not job.is_open:
        return None
    if job.state == Job.State.RUNNING:
        job.interruptions += 1
    run: Run | None = None
    if job.is_cancel_requested:
        _end(job, Job.State.CANCELLED, now)
    elif job.interruptions >= MOST_INTERRUPTIONS:
        _end(job, Job.State.FAILED, now)
        job.error_code, job.error_parameters = GAVE_UP, {"count": job.interruptions}
    else:
        job.state, job.attempt = Job.State.RUNNING, job.attempt + 1
        job.started_at, job.heartbeat_at = job.started_at or now, now
        run = Run(job.pk, job.attempt, job.parameters, job.checkpoint)
    job.save()
    return run


def progress(*, run: Run, done: int, total: int, checkpoint: Mapping[str, Any], now: dt.datetime) -> None:
    """Keeps that a step is done; within a transaction together with what the step itself changed.

    Args:
        run: whose step.
        done: steps so far.
        total: steps in all.
        checkpoint: what the next process needs to go on from here.
        now: with a time zone.

    Raises:
        Superseded: when another process has the job; what the step changed must be rolled back.
        CancelRequested: when somebody wants the job to end; the step itself is kept.
    """
    _keep(run, done=done, total=total, checkpoint=dict(checkpoint), heartbeat_at=now)
    if Job.objects.filter(pk=run.job_id, is_cancel_requested=True).exists():
        raise CancelRequested


def succeed(*, run: Run, result: Mapping[str, Any], now: dt.datetime) -> None:
    """Ends a job with what came of it: codes, ids and numbers.

    Raises:
        Superseded: when another process has the job.
    """
    _keep(run, state=Job.State.SUCCEEDED, result=dict(result), checkpoint={}, finished_at=now, heartbeat_at=now)


def fail(*, run: Run, code: str, parameters: Mapping[str, Any], now: dt.datetime) -> None:
    """Ends a job that cannot be done.

    Args:
        run: which one.
        code: why; `recognition.wording` has the sentence.
        parameters: of the sentence.
        now: with a time zone.

    Raises:
        Superseded: when another process has the job.
    """
    _keep(
        run,
        state=Job.State.FAILED,
        error_code=code,
        error_parameters=dict(parameters),
        checkpoint={},
        finished_at=now,
        heartbeat_at=now,
    )


def end_cancelled(*, run: Run, now: dt.datetime) -> None:
    """Ends a job that somebody wanted to end.

    Raises:
        Superseded: when another process has the job.
    """
    _keep(run, state=Job.State.CANCELLED, checkpoint={}, finished_at=now, heartbeat_at=now)


def put_back(*, run: Run) -> None:
    """Leaves a job for the next process, because this one stops; it goes on from its last step.

    Raises:
        Superseded: when another process has the job.
    """
    _keep(run, state=Job.State.QUEUED)


@transaction.atomic
def put_all_back_into_queue() -> int:
    """Puts every open job into a queue that lost them, as that of a restored database; each goes on from its last step.

    Returns:
        How many there are.
    """
    held = list(Job.objects.select_for_update().filter(state__in=Job.OPEN))
    for job in held:
        job.state = Job.State.QUEUED
        job.save(update_fields=["state"])
        _put_into_queue(job)
    return len(held)


def _put_into_queue(job: Job) -> None:
    job.queue_number = app.configure_task(task_name(Job.Kind(job.kind)), queue=QUEUE).defer(job_id=job.pk)
    job.save(update_fields=["queue_number"])


def _end(job: Job, state: Job.State, now: dt.datetime) -> None:
    job.state, job.finished_at, job.checkpoint = state, now, {}


def _keep(run: Run, **values: Any) -> None:
    held = Job.objects.filter(pk=run.job_id, attempt=run.attempt, state=Job.State.RUNNING)
    if not held.update(**values):
        raise Superseded
