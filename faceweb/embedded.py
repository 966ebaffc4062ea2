"""The embedded PostgreSQL: every command joins the running server or starts one for its own duration.

    <state>/postgres/            data and socket, 0700, of the OS user that runs the server
    <state>/postgres-programs/   as root: a copy of the programs that this user can reach
    <state>/postgres.log         the server's log
    <state>/postgres.start.lock  held while one process looks for the server or starts it
    <state>/postgres.users.lock  shared by every process that uses the server
    <state>/postgres.owner.json  which process started the running server

Whoever starts the server owns it: it is the owner's child, ends when the owner dies in any way, and an owner that
ends first waits for those that joined. `up` wants to be the owner, so it waits for a command that owns the server.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from psycopg import sql

from faceweb import locks, postgres_binaries, postgres_process, state
from faceweb.postgres_process import DATABASE, Installation, PostgresError

OWNER_POLL_INTERVAL_S = 0.1
ORPHAN_DEADLINE_S = 30.0  # a server whose owner was killed ends by itself, within a second unless the disk is slow

MIB = 1024 * 1024
SHARED_BUFFERS_MIB = (32, 1024)  # least and most; between them an eighth of the memory
MAINTENANCE_MIB = (64, 2048)  # likewise; an HNSW build that fits is several times faster than one that does not


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that started the server.

    Args:
        pid: Its process id.
        command: What it was asked to do, such as `up` or `enrol`; no arguments, which may name people.
        server_pid: The process id of the server it started.
    """

    pid: int
    command: str
    server_pid: int


@dataclass(frozen=True, slots=True)
class Place:
    """The files of the embedded server below one state directory."""

    directory: Path

    @property
    def home(self) -> Path:
        """The directory of the OS user that runs the server."""
        return self.directory / "postgres"

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.directory / "postgres.log"

    @property
    def start_lock(self) -> Path:
        """Held alone while one process looks for the server or starts it."""
        return self.directory / "postgres.start.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by every process that uses the server."""
        return self.directory / "postgres.users.lock"

    @property
    def owner_file(self) -> Path:
        """Says which process started the running server."""
        return self.directory / "postgres.owner.json"

    def socket(self) -> Path:
        """Return the directory of the server's socket."""
        return postgres_process.socket_directory(self.home, postgres_binaries.account())

    def owner(self) -> Owner | None:
        """Return who started the running server; None when none runs, or its owner has not said so yet."""
        server_pid = postgres_process.running_pid(self.data)
        try:
            owner = Owner(**json.loads(self.owner_file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return owner if owner.server_pid == server_pid else None


def place() -> Place:
    """Return the place that this environment chooses."""
    return Place(state.directory())


@contextmanager
def running(
    where: Place,
    *,
    command: str,
    wait_says: Callable[[str], None],
    durable: bool = True,
    options: Mapping[str, str] | None = None,
) -> Iterator[Path]:
    """Have the server running for the duration of the block; gives the directory of its socket.

    Args:
        where: Its place.
        command: What this process was asked to do, for others who wait for it; `up` insists on owning the server.
        wait_says: Told once, in a sentence, whenever this process has to wait for another one.
        durable: False for throwaway data: nothing is forced to disk.
        options: PostgreSQL settings on top of the defaults.

    Raises:
        PostgresError: The server cannot be started.
        BinariesError: Its programs are missing or out of reach.
    """
    with locks.FileLock(where.start_lock) as start_lock, locks.FileLock(where.users_lock) as users_lock:
        start_lock.take_exclusive()
        _wait_for_my_turn(where, start_lock, command, wait_says)
        users_lock.take_shared()  # waits while an owner stops its server
        if postgres_process.running_pid(where.data) is not None:
            start_lock.release()
            yield where.socket()
            return
        installation, socket = _install(where, durable=durable)
        process = postgres_process.start(installation, socket, {**_defaults(), **(options or {})})
        try:
            _create_database(socket)
            owner = Owner(pid=os.getpid(), command=command, server_pid=process.pid)
            state.write_private(where.owner_file, json.dumps(asdict(owner)).encode())
            start_lock.release()
            try:
                yield socket
            finally:
                _wait_for_the_others(users_lock, wait_says)
        finally:
            postgres_process.stop(process)
            where.owner_file.unlink(missing_ok=True)


def _wait_for_my_turn(where: Place, start_lock: locks.FileLock, command: str, wait_says: Callable[[str], None]) -> None:
    """Return, holding the start lock, when a server may be joined or started."""
    said = False
    orphan_since: float | None = None
    while (server_pid := postgres_process.running_pid(where.data)) is not None:
        owner = where.owner()
        alive = owner is not None and Path("/proc", str(owner.pid)).exists()
        if alive and owner is not None:
            if command != "up":
                return
            sentence = f"Waiting for `faceweb {owner.command}` (process {owner.pid}), which has the database running."
        else:
            orphan_since = orphan_since or time.monotonic()
            if time.monotonic() - orphan_since > ORPHAN_DEADLINE_S:
                raise PostgresError(
                    f"A PostgreSQL server (process {server_pid}) runs on {where.data}, and no faceweb command owns "
                    f"it. Stop it with `kill -INT {server_pid}` and start again."
                )
            sentence = f"Waiting for a PostgreSQL server (process {server_pid}) whose owner has died to end."
        if not said:
            wait_says(sentence)
            said = True
        start_lock.release()
        time.sleep(OWNER_POLL_INTERVAL_S)
        start_lock.take_exclusive()


def _wait_for_the_others(users_lock: locks.FileLock, wait_says: Callable[[str], None]) -> None:
    if not users_lock.try_exclusive():
        wait_says("Waiting for other commands that use the database. Ctrl-C ends it under them.")
        users_lock.take_exclusive()


def _install(where: Place, *, durable: bool) -> tuple[Installation, Path]:
    runner = postgres_binaries.account()
    programs = postgres_binaries.program_directory(where.directory / "postgres-programs", runner)
    postgres_process.make_private(where.home, runner)
    postgres_binaries.assert_reachable(where.data, runner)
    socket = where.socket()
    postgres_process.make_private(socket, runner)
    installation = Installation(home=where.home, log=where.log, runner=runner, programs=programs)
    postgres_process.initialise(installation, durable=durable)
    postgres_process.forget_stale_pid_file(where.data)
    return installation, socket


def _create_database(socket: Path) -> None:
    with postgres_process.connect(socket, "postgres") as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _defaults() -> dict[str, str]:
    """Return PostgreSQL's settings for this machine."""
    memory_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB
    # A parallel index build shares its memory through /dev/shm, which containers keep small.
    shared = os.statvfs("/dev/shm")  # noqa: S108
    shared_mib = shared.f_bavail * shared.f_frsize // MIB
    return {
        "shared_buffers": f"{_within(SHARED_BUFFERS_MIB, memory_mib // 8)}MB",
        "maintenance_work_mem": f"{_within(MAINTENANCE_MIB, min(memory_mib // 8, shared_mib // 2))}MB",
        "unix_socket_permissions": "0700",
        # A failed statement may hold a name: neither its text nor its parameters go to the log.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
    }


def _within(bounds: tuple[int, int], value: int) -> int:
    least, most = bounds
    return max(least, min(most, value))
