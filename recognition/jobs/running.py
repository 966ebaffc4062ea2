"""One job from beginning to end: what happens when it succeeds, fails, is cancelled, or its process stops."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django import db
from django.db import transaction
from django.utils import timezone
from procrastinate.jobs import Job as QueuedJob
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from recognition.services import jobs
from recognition.services.jobs import CancelRequested, Run, Superseded

logger = logging.getLogger(__name__)

UNEXPECTED = "unexpected"
"""The error code of an error that nobody foresaw; the log of the jobs process has it."""

DATABASE_PAUSE_S = 5
"""How long to wait before a job is tried again that lost the database."""


class JobFailed(Exception):
    """The job cannot be done, for a reason that has a sentence.

    Args:
        code: of the sentence, see `recognition.wording`.
        parameters: of the sentence; numbers and ids.
    """

    def __init__(self, code: str, **parameters: Any) -> None:
        super().__init__(code)
        self.code = code
        self.parameters = parameters


class Stopping(Exception):
    """The process is told to stop: the job is left for the next one."""


class Steps:
    """What a job tells of itself between two steps, and where it learns that it should end."""

    def __init__(self, run: Run, should_stop: Callable[[], bool]) -> None:
        self.run = run
        self._should_stop = should_stop

    def done(self, done: int, total: int, checkpoint: Mapping[str, Any]) -> None:
        """Keeps that a step is done which changes nothing; for one that does, see `store`.

        Args:
            done: steps so far.
            total: steps in all.
            checkpoint: what the next process needs to go on from here.

        Raises:
            Superseded, CancelRequested, Stopping: to be let through.
        """
        jobs.progress(run=self.run, done=done, total=total, checkpoint=checkpoint, now=timezone.now())
        if self._should_stop():
            raise Stopping

    def store(self, step: Callable[[], None], *, done: int, total: int, checkpoint: Mapping[str, Any]) -> None:
        """Does a step that changes the database and keeps that it is done, both or neither.

        Args:
            step: makes the changes.
            done: steps so far, this one included.
            total: steps in all.
            checkpoint: what the next process needs to go on from here.

        Raises:
            Superseded: what the step changed is rolled back.
            CancelRequested, Stopping: what it changed is kept.
        """
        ending: CancelRequested | Stopping | None = None
        with transaction.atomic():
            step()
            try:
                self.done(done, total, checkpoint)
            except (CancelRequested, Stopping) as error:
                ending = error
        if ending is not None:
            raise ending


Work = Callable[[Steps], Mapping[str, Any]]
"""Does a job and returns its result; raises `JobFailed` where it cannot."""


def run(job_id: int, work: Work, *, should_stop: Callable[[], bool]) -> None:
    """Does a job of the queue, or finds that there is nothing left to do.

    Args:
        job_id: primary key of the job.
        work: does it.
        should_stop: whether the process is told to stop.

    Raises:
        Stopping: when the process stops; the queue keeps the job for the next one.
        django.db.Error: when the database went away; the queue keeps the job as well.
    """
    taken = jobs.begin(job_id=job_id, now=timezone.now())
    if taken is None:
        return
    try:
        _do(taken, work, should_stop)
    except Superseded:
        logger.warning("job %d is in the hands of another process; this one leaves it", job_id)


def _do(taken: Run, work: Work, should_stop: Callable[[], bool]) -> None:
    try:
        result = work(Steps(taken, should_stop))
    except (Superseded, db.OperationalError, db.InterfaceError):
        raise
    except Stopping:
        jobs.put_back(run=taken)
        raise
    except CancelRequested:
        jobs.end_cancelled(run=taken, now=timezone.now())
    except JobFailed as failed:
        jobs.fail(run=taken, code=failed.code, parameters=failed.parameters, now=timezone.now())
    # Whatever it is, the job says that it failed, and the process goes on with the next one.
    except Exception as error:
        logger.exception("job %d failed", taken.job_id)
        jobs.fail(run=taken, code=UNEXPECTED, parameters={"error": type(error).__name__}, now=timezone.now())
    else:
        jobs.succeed(run=taken, result=result, now=timezone.now())


class KeepForTheNextProcess(BaseRetryStrategy):
    """Whether the queue keeps a job: one that was left by a process that stops, or that lost the database."""

    def get_retry_decision(self, *, exception: BaseException, job: QueuedJob) -> RetryDecision | None:
        """At once for the first, after a pause for the second; nothing else gets here."""
        if isinstance(exception, Stopping):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, db.OperationalError | db.InterfaceError):
            return RetryDecision(retry_in={"seconds": DATABASE_PAUSE_S})
        return None
