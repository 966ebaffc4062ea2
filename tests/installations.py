"""State directories of the tests' own: empty ones, and copies of one that was started before."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from faceweb import embedded, env, postgres_process, state
from tests.processes import DEADLINE_S, POLL_INTERVAL_S, CommandLine, wait_until_gone

PASSWORD = "correct-horse-battery"
"""Of the user `admin` in a prepared installation."""

MEMORY = Path("/dev/shm")
LEAST_FREE_BYTES = 2 * 2**30  # an installation takes 0.1 GB, and containers keep this place small

# What `faceweb up` does at its first start, without serving.
FIRST_START = (
    "from faceweb import first_run; from recognition.worker import packs; "
    "packs.ensure_active(); first_run.ensure_admin(say=print)"
)


def new_directory() -> Path:
    """A new directory that every OS user may pass through: pytest's own tmp_path is closed to the database's.

    In memory where there is room: a database is a thousand files, and some disks need a second to create them.
    """
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= LEAST_FREE_BYTES
    directory = Path(tempfile.mkdtemp(prefix="faceweb-test-", dir=MEMORY if has_room else None))
    directory.chmod(state.STATE_DIR_MODE)
    return directory


@contextmanager
def temporary_state_dir() -> Iterator[Path]:
    """An empty state directory; what runs in it has to be ended before it is left."""
    directory = new_directory()
    yield directory
    if server := postgres_process.running_pid(embedded.Place(directory).data):
        wait_until_gone(server)  # its owner was ended just now
    shutil.rmtree(directory)


def command_line_in(directory: Path) -> CommandLine:
    """The product's command line on a state directory."""
    # Models are prepared and measured once for all runs, not once for each state directory (10 s).
    return CommandLine(directory, variables={env.CACHE_DIR.name: str(state.cache_directory())})


def prepare(directory: Path) -> None:
    """Leaves in a state directory what the first start leaves there: schema, model pack, and the user `admin`."""
    with command_line_in(directory) as command_line:
        command_line.variables[env.ADMIN_PASSWORD.name] = PASSWORD
        status, output = command_line.run("shell", "--no-imports", "-c", FIRST_START)
    assert status == 0, output


def copy(prepared: Path, target: Path) -> None:
    """Copies an installation that is not running, as a backup does: owners and modes stay what they are."""
    subprocess.run(["cp", "--archive", f"{prepared}/.", str(target)], check=True)  # noqa: S607  # whichever the machine has


def unused_port() -> int:
    """A port at which nobody listens, unless somebody takes it before the caller does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def wait_for_redis(url: str) -> None:
    """Waits until a Redis that was just started answers."""
    deadline = time.monotonic() + DEADLINE_S
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "redis-server did not start"
                time.sleep(POLL_INTERVAL_S)
