"""Real jobs processes: what they do with a job, with one that is cancelled, and with one whose process was killed."""

from __future__ import annotations

import re
import signal
import time

import pytest
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from recognition.jobs import upkeep
from recognition.models import Job, WaitingPhoto
from recognition.services import jobs
from tests import fakes
from tests.fakes import NOW
from tests.integration.recognition.jobs.conftest import Start
from tests.processes import DEADLINE_S, POLL_INTERVAL_S, Process

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 9
"""With one sample each; in blocks of two templates these are five."""


@pytest.fixture
def job(transactional_db: None) -> Job:
    """A check of a gallery in which two people are confused."""
    fakes.activated_pack()
    for number in range(PEOPLE - 1):
        fakes.person(f"person {number}", fakes.like_probe(0.0, axis=1 + number % 7))
    fakes.person("a double", fakes.like_probe(0.0, axis=2))
    return jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)


def wait_for(job: Job, state: Job.State) -> Job:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        job.refresh_from_db()
        if job.state == state:
            return job
        assert time.monotonic() < deadline, f"{job.state}, step {job.done}, {job.error_code} {job.error_parameters}"
        time.sleep(POLL_INTERVAL_S)


def wait_until_the_queue_is_empty() -> None:
    deadline = time.monotonic() + DEADLINE_S
    while ProcrastinateJob.objects.exists():
        assert time.monotonic() < deadline
        time.sleep(POLL_INTERVAL_S)


def blocks_of(process: Process) -> list[int]:
    return [int(number) for number in re.findall(r"block (\d+)\n", process.output)]


def test_a_job_is_done_and_leaves_the_queue(start: Start, job: Job) -> None:
    process = start(-1)
    done = wait_for(job, Job.State.SUCCEEDED)
    assert (done.done, done.total, done.attempt, done.checkpoint) == (5, 6, 1, {})
    assert (done.result["people"], done.result["samples"]) == (PEOPLE, PEOPLE)
    assert done.result["confusable"]["count"] > 0
    assert blocks_of(process) == [0, 1, 2, 3, 4]
    wait_until_the_queue_is_empty()


def test_a_job_whose_process_is_killed_in_the_middle_is_finished_once_by_another_from_its_last_step(
    start: Start, job: Job
) -> None:
    undisturbed = start(-1)
    expected = wait_for(job, Job.State.SUCCEEDED).result
    undisturbed.close()
    again = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)
    killed = start(2)
    killed.wait_for("block 2\n")
    killed.send(signal.SIGKILL)
    killed.wait()
    first, second = start(-1), start(-1)
    done = wait_for(again, Job.State.SUCCEEDED)
    assert sorted((blocks_of(first), blocks_of(second))) == [[], [2, 3, 4]]
    assert done.result == expected
    assert (done.attempt, done.interruptions) == (2, 1)
    wait_until_the_queue_is_empty()


def test_a_process_that_was_only_held_up_keeps_nothing_when_it_wakes(start: Start, job: Job) -> None:
    late = start(1)
    late.wait_for("block 1\n")
    late.send(signal.SIGSTOP)
    start(-1)
    done = wait_for(job, Job.State.SUCCEEDED)
    late.send(signal.SIGCONT)
    late.send(signal.SIGTERM)  # ends its wait in the block, after which it finds that the job is another's
    late.wait_for("in the hands of another process")
    assert Job.objects.values().get() == Job.objects.filter(pk=done.pk).values().get()
    assert Job.objects.get().attempt == 2
    assert Job.objects.get().result == done.result


def test_a_process_that_is_told_to_stop_leaves_its_job_to_the_next_one(start: Start, job: Job) -> None:
    process = start(2)
    process.wait_for("block 2\n")
    process.send(signal.SIGTERM)
    assert process.wait() == 0
    assert Job.objects.get().state == Job.State.QUEUED
    following = start(-1)
    done = wait_for(job, Job.State.SUCCEEDED)
    assert blocks_of(following) == [3, 4]
    assert done.interruptions == 0


def test_chores_do_not_wait_for_a_long_job(start: Start, job: Job) -> None:
    process = start(2)
    process.wait_for("block 2\n")
    fakes.waiting_photo(fakes.person(), fakes.user("add_facesample"), expires_at=NOW)
    app.configure_task(upkeep.FORGET_EXPIRED, queue=jobs.CHORES).defer(timestamp=0)
    deadline = time.monotonic() + DEADLINE_S
    while WaitingPhoto.objects.exists():
        assert time.monotonic() < deadline
        time.sleep(POLL_INTERVAL_S)
    assert Job.objects.get().state == Job.State.RUNNING


def test_a_job_that_is_cancelled_ends_after_its_step(start: Start, job: Job) -> None:
    process = start(2)
    process.wait_for("block 2\n")
    assert jobs.cancel(job=job, actor=None, now=NOW).state == Job.State.RUNNING
    process.send(signal.SIGTERM)  # ends the step
    assert wait_for(job, Job.State.CANCELLED).done == 3
    process.wait()
    # A process that is told to end may leave what is over in the queue; the next one clears it away.
    next_one = start(-1)
    wait_until_the_queue_is_empty()
    assert blocks_of(next_one) == []


def test_a_job_that_fails_says_why_and_the_process_goes_on(start: Start, transactional_db: None) -> None:
    pack = fakes.activated_pack(decides=False)
    job = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)
    process = start(-1)
    assert wait_for(job, Job.State.FAILED).error_code == "no_thresholds"
    assert process.is_running()
    pack.delete()
    other = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)
    assert wait_for(other, Job.State.FAILED).error_code == "no_active_pack"
