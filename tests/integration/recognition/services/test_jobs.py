"""Long work as it is asked for, cancelled and followed; and that only one process at a time keeps anything of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from recognition.models import AuditAction, AuditEntry, Job
from recognition.services import jobs
from recognition.services.jobs import CancelRequested, JobRefused, Run, Superseded
from tests import fakes
from tests.fakes import NOW

pytestmark = pytest.mark.django_db

State = Job.State


def requested() -> Job:
    return jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)


def begun(job: Job) -> Run:
    run = jobs.begin(job_id=job.pk, now=NOW)
    assert run is not None
    return run


def state_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


class TestAsking:
    def test_puts_the_job_into_the_queue_by_its_name_with_nothing_but_its_number(self) -> None:
        actor = fakes.user()
        job = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=actor)
        queued = ProcrastinateJob.objects.get(pk=job.queue_number)
        assert (queued.task_name, queued.args, queued.status) == ("faceweb.gallery_check", {"job_id": job.pk}, "todo")
        assert (job.state, job.requested_by) == (State.QUEUED, actor)
        entry = AuditEntry.objects.get(action=AuditAction.JOB_REQUESTED)
        assert (entry.subject, entry.actor) == (f"job:{job.pk}", actor)

    def test_leaves_nothing_in_the_queue_when_its_transaction_is_rolled_back(self) -> None:
        with transaction.atomic():
            requested()
            transaction.set_rollback(True)
        assert not Job.objects.exists()
        assert not ProcrastinateJob.objects.exists()

    def test_is_refused_while_such_a_job_is_open_and_granted_when_it_is_over(self) -> None:
        first = requested()
        with pytest.raises(JobRefused, match="already"):
            requested()
        jobs.succeed(run=begun(first), result={}, now=NOW)
        assert requested().pk != first.pk


class TestCancelling:
    def test_ends_at_once_what_waits_and_takes_it_from_the_queue(self) -> None:
        job = jobs.cancel(job=requested(), actor=None, now=NOW)
        assert (job.state, job.finished_at) == (State.CANCELLED, NOW)
        assert not ProcrastinateJob.objects.exists()
        assert jobs.begin(job_id=job.pk, now=NOW) is None
        assert AuditEntry.objects.filter(action=AuditAction.JOB_CANCELLED).exists()

    def test_tells_what_runs_after_its_step_which_is_kept(self) -> None:
        job = requested()
        run = begun(job)
        assert jobs.cancel(job=job, actor=None, now=NOW).state == State.RUNNING
        with pytest.raises(CancelRequested):
            jobs.progress(run=run, done=1, total=3, checkpoint={"at": 1}, now=NOW)
        assert Job.objects.get().done == 1
        jobs.end_cancelled(run=run, now=NOW)
        assert state_of(job) == State.CANCELLED

    def test_ends_what_a_process_had_that_died(self) -> None:
        job = requested()
        begun(job)
        jobs.cancel(job=job, actor=None, now=NOW)
        assert jobs.begin(job_id=job.pk, now=NOW) is None
        assert state_of(job) == State.CANCELLED

    def test_is_refused_when_the_job_is_over(self) -> None:
        job = requested()
        jobs.succeed(run=begun(job), result={}, now=NOW)
        with pytest.raises(JobRefused, match="over already"):
            jobs.cancel(job=job, actor=None, now=NOW)


class TestTaking:
    def test_finds_nothing_to_do_for_a_job_that_is_over_or_gone(self) -> None:
        job = requested()
        jobs.succeed(run=begun(job), result={"people": 1}, now=NOW)
        assert jobs.begin(job_id=job.pk, now=NOW) is None
        assert jobs.begin(job_id=job.pk + 1, now=NOW) is None

    def test_goes_on_from_the_last_step_that_was_kept(self) -> None:
        job = requested()
        jobs.progress(run=begun(job), done=1, total=3, checkpoint={"at": 1}, now=NOW)
        again = jobs.begin(job_id=job.pk, now=NOW + dt.timedelta(minutes=1))
        assert again is not None
        assert (again.attempt, again.checkpoint) == (2, {"at": 1})
        stored = Job.objects.get()
        assert (stored.started_at, stored.interruptions) == (NOW, 1)

    def test_is_no_interruption_when_the_process_before_put_it_back(self) -> None:
        job = requested()
        jobs.put_back(run=begun(job))
        assert state_of(job) == State.QUEUED
        begun(job)
        assert Job.objects.get().interruptions == 0

    def test_gives_up_a_job_whose_processes_keep_dying(self) -> None:
        job = requested()
        for _ in range(jobs.MOST_INTERRUPTIONS):
            begun(job)
        assert jobs.begin(job_id=job.pk, now=NOW) is None
        stored = Job.objects.get()
        assert (stored.state, stored.error_code) == (State.FAILED, jobs.GAVE_UP)


ENDS: dict[str, Callable[[Run], None]] = {
    "a step": lambda run: jobs.progress(run=run, done=2, total=3, checkpoint={"at": 9}, now=NOW),
    "success": lambda run: jobs.succeed(run=run, result={"people": 1}, now=NOW),
    "failure": lambda run: jobs.fail(run=run, code="unexpected", parameters={}, now=NOW),
    "its cancelling": lambda run: jobs.end_cancelled(run=run, now=NOW),
    "its return": lambda run: jobs.put_back(run=run),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_process_whose_job_another_one_has_keeps_nothing_of_it(end: str) -> None:
    job = requested()
    late = begun(job)
    begun(job)
    before = Job.objects.values().get()
    with pytest.raises(Superseded):
        ENDS[end](late)
    assert Job.objects.values().get() == before
