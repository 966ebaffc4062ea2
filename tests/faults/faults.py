"""Each thing that breaks, and how it is mended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.faults import product as products
from tests.faults.product import Product

AWAY_S = 3.0
"""How long whoever looks after a process takes to start it again."""

SLOW_S = 12.0
"""Longer than any patience of the product's."""

FULL_S = 10.0
JUMP_S = 3600

Fault = Callable[[Product], contextlib.AbstractContextManager[None]]
"""Broken within the block, mended when it ends."""


def killed(name: str) -> Fault:
    """A process of the product, by kill -9."""

    @contextlib.contextmanager
    def fault(product: Product) -> Iterator[None]:
        product.kill(name)
        yield
        time.sleep(AWAY_S)
        product.start(name)

    return fault


@contextlib.contextmanager
def jobs_killed(product: Product) -> Iterator[None]:
    """The jobs process, while a job waits; the block ends when that is done."""
    product.kill("jobs")
    yield
    ask = "from recognition.services import jobs; jobs.ask_for_gallery_check(actor=None)"
    status, output = product.command_line.run("shell", "--no-imports", "-c", ask)
    assert status == 0, output
    product.start("jobs")
    products.wait_for(lambda: _jobs(product) == {"succeeded"})


def _jobs(product: Product) -> set[object]:
    with product.database.connect() as connection:
        return {state for (state,) in connection.execute("SELECT state FROM recognition_job").fetchall()}


@contextlib.contextmanager
def redis_killed(product: Product) -> Iterator[None]:
    """Redis, by kill -9."""
    product.redis.kill()
    yield
    time.sleep(AWAY_S)
    product.redis.start()


@contextlib.contextmanager
def database_killed(product: Product) -> Iterator[None]:
    """PostgreSQL with all its processes, by kill -9."""
    product.database.kill()
    yield
    time.sleep(AWAY_S)
    product.database.start()


@contextlib.contextmanager
def database_slow(product: Product) -> Iterator[None]:
    """The table of events is locked by somebody else."""
    with product.database.connect() as connection:
        connection.autocommit = False
        connection.execute("LOCK TABLE recognition_recognitionevent")
        yield
        time.sleep(SLOW_S)
        connection.rollback()


@contextlib.contextmanager
def disk_full(product: Product) -> Iterator[None]:
    """The disk of the database, to the last byte."""
    ballast = products.fill(product.database.place.directory)
    yield
    time.sleep(FULL_S)
    ballast.unlink()
    if product.database.has_ended:
        product.database.start()


def clock_jump(clock: Path, seconds: int) -> Fault:
    """The clock of web, workers and jobs, which libfaketime reads from a file."""

    @contextlib.contextmanager
    def fault(product: Product) -> Iterator[None]:
        clock.write_text(f"{seconds:+d}\n")
        yield

    return fault
