"""A job that a command asks for: followed while some jobs process has it, done by the command where there is none."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from recognition import wording
from recognition.jobs import running
from recognition.jobs.running import Steps, Work
from recognition.management.base import FAILED
from recognition.models import Job
from recognition.selectors import jobs

POLL_S = 0.2


def to_its_end(job: Job, work: Work, bar: tqdm[Any]) -> Mapping[str, Any]:
    """Waits until a job is over.

    A command that is killed while it does the job leaves it in the queue, as a jobs process would: the next process
    that takes jobs goes on with it. Where such a process takes it over meanwhile, the command follows from then on.

    Args:
        job: that was asked for.
        work: does it here.
        bar: is moved with each step.

    Returns:
        Its result.

    Raises:
        CommandError: when it failed or was cancelled.
    """

    def shown(steps: Steps) -> Mapping[str, Any]:
        return work(_Shown(steps, bar))

    while job.is_open:
        if jobs.is_anybody_working():
            time.sleep(POLL_S)
        else:
            running.run(job.pk, shown, should_stop=lambda: False)
        job.refresh_from_db()
        _move(bar, job.done, job.total)
    if job.state == Job.State.FAILED:
        raise CommandError(wording.job_error_sentence(job.error_code, job.error_parameters), returncode=FAILED)
    if job.state == Job.State.CANCELLED:
        raise CommandError("The job was cancelled.", returncode=FAILED)
    return job.result  # type: ignore[no-any-return]


def _move(bar: tqdm[Any], done: int, total: int | None) -> None:
    bar.total = total
    bar.update(done - bar.n)


class _Shown(Steps):
    """Steps that move a progress bar."""

    def __init__(self, steps: Steps, bar: tqdm[Any]) -> None:
        super().__init__(steps.run, should_stop=lambda: False)
        self._bar = bar

    def done(self, done: int, total: int, checkpoint: Mapping[str, Any]) -> None:
        """See `Steps.done`."""
        super().done(done, total, checkpoint)
        _move(self._bar, done, total)
