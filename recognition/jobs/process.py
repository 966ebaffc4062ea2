"""A jobs process: takes jobs one at a time, does chores beside them, and looks after jobs of processes that died."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable

import psycopg
from asgiref.sync import sync_to_async
from django import db
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.psycopg_connector import PsycopgConnector

from recognition.jobs import rescue, tasks
from recognition.services.jobs import CHORES, QUEUE

logger = logging.getLogger(__name__)

CONNECTIONS = 7
"""Of the queues' own: for each one listens, one fetches, one says that the process lives, and one to spare."""

RESCUE_INTERVAL_S = 5.0
POLL_S = 0.2
"""How often the process looks whether it is told to stop."""


class QueueLost(Exception):
    """The queue ended by itself; the log says why, and the process should be started again."""


def work(stop: threading.Event, *, ready: Callable[[], None]) -> None:
    """Does jobs until it is told to stop; what it has in hand then is left for the next process.

    Args:
        stop: set by whoever wants the process to end.
        ready: told once that jobs are taken from now on.

    Raises:
        QueueLost: when the database or the queue does not answer any more.
    """
    tasks.register()
    try:
        asyncio.run(_work(stop, ready))
    except (ConnectorException, psycopg.Error) as error:
        raise QueueLost(f"the queue of jobs is lost, because the database does not answer: {error}") from error


async def _work(stop: threading.Event, ready: Callable[[], None]) -> None:
    # An app of its own for the queue: what a job does itself goes over Django's connection, into its transactions.
    connector = PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=CONNECTIONS)
    queue = app.with_connector(connector)
    async with queue.open_async():
        working = [asyncio.create_task(_take_jobs(queue, stop, name)) for name in (QUEUE, CHORES)]
        rescuing = asyncio.create_task(_rescue())
        ready()
        try:
            while not stop.is_set() and not any(each.done() for each in working):
                await asyncio.sleep(POLL_S)
        finally:
            is_lost = any(each.done() for each in working) and not stop.is_set()
            for task in (rescuing, *working):
                task.cancel()
            for task in (rescuing, *working):
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if is_lost:
            raise QueueLost("the queue of jobs ended by itself; the lines above say why")


async def _take_jobs(queue: App, stop: threading.Event, name: str) -> None:
    await queue.run_worker_async(
        queues=[name],
        concurrency=1,
        install_signal_handlers=False,
        # A job ends after its current step, and is left for the next process.
        additional_context={tasks.STOP: stop},
        update_heartbeat_interval=rescue.HEARTBEAT_S,
        stalled_worker_timeout=rescue.DEAD_AFTER_S,
        # What is worth keeping of a job stands in our own table.
        delete_jobs="always",
    )


async def _rescue() -> None:
    while True:
        try:
            await sync_to_async(_give_back)()
        except (db.OperationalError, db.InterfaceError) as error:
            logger.warning("jobs of processes that died cannot be looked for: %s", type(error).__name__)
        await asyncio.sleep(RESCUE_INTERVAL_S)


def _give_back() -> None:
    try:
        if count := rescue.give_back():
            logger.warning("%d jobs of processes that died are taken again", count)
    finally:
        db.connections.close_all()
