"""Which code does which kind of job, under the names that the queue knows."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from typing import Any

from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.middleware import SyncCallNext
from procrastinate.worker import Worker

from recognition.jobs import (
    classifiers,
    gallery_check,
    importing,
    pack_switch,
    running,
    threshold_measurement,
    unknowns,
    upkeep,
    videos,
)
from recognition.jobs.running import KeepForTheNextProcess, Stopping, Work
from recognition.models import Job
from recognition.services import jobs

STOP = "stop"
"""Under which name a process tells its jobs that it stops, by an event."""

WORK: Mapping[Job.Kind, Work] = {
    Job.Kind.CLASSIFIERS: classifiers.train,
    Job.Kind.GALLERY_CHECK: gallery_check.check,
    Job.Kind.IMPORT: importing.enrol,
    Job.Kind.PACK_SWITCH: pack_switch.try_out,
    Job.Kind.THRESHOLDS: threshold_measurement.measure,
    Job.Kind.UNKNOWNS: unknowns.group,
    Job.Kind.VIDEO: videos.watch,
    Job.Kind.VIDEO_COMPARISON: videos.compare,
}


@functools.cache
def register() -> None:
    """Tells the queue what this process can do; the second time changes nothing."""
    for kind, work in WORK.items():
        app.task(
            name=jobs.task_name(kind),
            queue=jobs.QUEUE,
            pass_context=True,
            retry=KeepForTheNextProcess(),
            task_middleware=[_take_no_more],
        )(functools.partial(_run, work))
    for name, schedule, chore in (
        (upkeep.FORGET_EXPIRED, upkeep.SCHEDULE, upkeep.forget_expired),
        (upkeep.ANCHOR, upkeep.ANCHOR_SCHEDULE, upkeep.anchor_sealed_log),
        (upkeep.APPLY_RETENTION, upkeep.RETENTION_SCHEDULE, upkeep.apply_retention),
        (upkeep.TRAIN_AGAIN, upkeep.SCHEDULE, upkeep.train_again),
    ):
        periodic = app.task(name=name, queue=jobs.CHORES, queueing_lock=name, retry=KeepForTheNextProcess())(chore)
        app.periodic(cron=schedule)(periodic)


def _take_no_more(call_next: SyncCallNext, context: JobContext, worker: Worker) -> Any:
    """Ends the taking of jobs before the queue has this one back, else this process would take it once more."""
    try:
        return call_next()
    except Stopping:
        worker.stop()  # type: ignore[no-untyped-call]  # procrastinate leaves out that it returns nothing
        raise


def _run(work: Work, context: JobContext, *, job_id: int) -> None:
    stop: threading.Event = context.additional_context[STOP]
    running.run(job_id, work, should_stop=stop.is_set)
