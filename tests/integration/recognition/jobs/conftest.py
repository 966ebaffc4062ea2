"""What tests of jobs share."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.db import connection

from faceweb import env
from tests.processes import PROJECT, Process, interpreter

HELD_JOBS = Path(__file__).parent / "held_jobs.py"
HELD_IMPORT = Path(__file__).parent / "held_import.py"

Start = Callable[[int], Process]


@pytest.fixture
def start(transactional_db: None) -> Iterator[Start]:
    """Starts jobs processes on the tests' database, held in a block or (-1) in none; all end with the test."""
    with _starting(HELD_JOBS) as start:
        yield start


@pytest.fixture
def start_import(transactional_db: None) -> Iterator[Start]:
    """The same, held at a file of an import; they see faces without networks."""
    with _starting(HELD_IMPORT) as start:
        yield start


@contextmanager
def _starting(program: Path) -> Iterator[Start]:
    database = connection.settings_dict
    host = urllib.parse.quote(database["HOST"], safe="")
    account = database["USER"] + (f":{urllib.parse.quote(database['PASSWORD'])}" if database["PASSWORD"] else "")
    port = f":{database['PORT']}" if database["PORT"] else ""
    url = f"postgresql://{account}@{host}{port}/{database['NAME']}"
    environment = env.of_child({env.DATABASE_URL.name: url, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(PROJECT)})
    with ExitStack() as stack:

        def start(held_in_block: int) -> Process:
            process = Process(
                [interpreter(None), str(program), str(held_in_block)], cwd=PROJECT, environment=environment
            )
            stack.callback(process.close)
            process.wait_for("ready\n")
            return process

        yield start
    with connection.cursor() as cursor:
        # Not Django's own tables, so that the end of a test does not empty them.
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
