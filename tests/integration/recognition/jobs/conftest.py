"""What tests of jobs share."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from django.db import connection

from faceweb import env
from tests.processes import PROJECT, Process, interpreter

HELD_JOBS = Path(__file__).parent / "held_jobs.py"
HELD_PACK_SWITCH = Path(__file__).parent / "held_pack_switch.py"


class Start(Protocol):
    """Starts a jobs process."""

    def __call__(self, held_in: int, script: Path = HELD_JOBS) -> Process:
        """Held in a block or step of that number; -1 in none."""


@pytest.fixture
def start(transactional_db: None) -> Iterator[Start]:
    """Starts jobs processes on the tests' database, held in a block or (-1) in none; all end with the test."""
    database = connection.settings_dict
    host = urllib.parse.quote(database["HOST"], safe="")
    account = database["USER"] + (f":{urllib.parse.quote(database['PASSWORD'])}" if database["PASSWORD"] else "")
    port = f":{database['PORT']}" if database["PORT"] else ""
    url = f"postgresql://{account}@{host}{port}/{database['NAME']}"
    environment = env.of_child({env.DATABASE_URL.name: url, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(PROJECT)})
    with ExitStack() as stack:

        def start(held_in: int, script: Path = HELD_JOBS) -> Process:
            process = Process([interpreter(None), str(script), str(held_in)], cwd=PROJECT, environment=environment)
            stack.callback(process.close)
            process.wait_for("ready\n")
            return process

        yield start
    with connection.cursor() as cursor:
        # Not Django's own tables, so that the end of a test does not empty them.
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
