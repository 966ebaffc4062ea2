"""A command follows a job that some jobs process has, and says how it ended."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django import db
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone
from tqdm import tqdm

from recognition.jobs import running
from recognition.jobs.running import JobFailed, Steps, Work
from recognition.management import following
from recognition.models import Job
from recognition.services import jobs

RESULT = {"people": 0, "samples": 0}


def asked() -> Job:
    return jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=None)


def followed(job: Job, work: Work) -> tuple[Mapping[str, Any], float]:
    """The result, and where the bar stands at the end."""
    with tqdm(file=io.StringIO()) as bar:
        return following.to_its_end(job, work, bar), bar.n


def two_steps(steps: Steps) -> Mapping[str, Any]:
    steps.done(1, 2, {})
    steps.done(2, 2, {})
    return RESULT


def not_here(steps: Steps) -> Mapping[str, Any]:
    raise AssertionError("a jobs process is alive, and the command did the job itself")


@pytest.mark.django_db
class TestWithoutAJobsProcess:
    def test_does_the_job_and_moves_the_bar(self) -> None:
        assert followed(asked(), two_steps) == (RESULT, 2)

    def test_says_why_a_job_failed(self) -> None:
        def fails(steps: Steps) -> Mapping[str, Any]:
            raise JobFailed("pack_gone")

        with pytest.raises(CommandError, match="is no longer there"):
            followed(asked(), fails)

    def test_says_that_a_job_was_cancelled(self) -> None:
        job = asked()

        def cancelled_meanwhile(steps: Steps) -> Mapping[str, Any]:
            jobs.cancel(job=job, actor=None, now=timezone.now())
            return two_steps(steps)

        with pytest.raises(CommandError, match="was cancelled"):
            followed(job, cancelled_meanwhile)


@pytest.fixture
def living_jobs_process(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
        yield
        # Not one of Django's own tables, so that the end of a test does not empty it.
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


def test_follows_the_job_of_a_process_that_lives(living_jobs_process: None) -> None:
    job = asked()
    elsewhere = threading.Thread(target=done_elsewhere, args=(job.pk,))
    elsewhere.start()
    try:
        assert followed(job, not_here) == (RESULT, 2)
    finally:
        elsewhere.join()


def done_elsewhere(number: int) -> None:
    try:
        running.run(number, two_steps, should_stop=lambda: False)
    finally:
        db.connections.close_all()
