"""One PostgreSQL server process: make its data directory, start it, stop it, recognise it.

Nothing here knows who shares the server; that is `faceweb.embedded`.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from faceweb import postgres_binaries
from faceweb.postgres_binaries import Account

ROLE = "faceweb"
DATABASE = "faceweb"

PR_SET_PDEATHSIG = 1  # prctl(2)
SOCKET_PATH_LIMIT_BYTES = 107  # sun_path in unix(7), less its final NUL
SOCKET_NAME = ".s.PGSQL.5432"
PRIVATE = 0o700

START_DEADLINE_S = 300.0  # a start after a crash replays the log first
STOP_DEADLINE_S = 60.0
POLL_INTERVAL_S = 0.01
LOG_TAIL_LINES = 15

LIBC = ctypes.CDLL(None)


class PostgresError(RuntimeError):
    """The embedded PostgreSQL cannot do what was asked; the message says what happened, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Where one embedded PostgreSQL lives.

    Args:
        home: The directory of its data, mode 0700, of the user `runner`.
        log: The server's log of its current run; outside `home`, so that only the user who starts faceweb places it.
        runner: The OS user that runs the server.
        programs: The directory of `postgres` and `initdb`.
    """

    home: Path
    log: Path
    runner: Account
    programs: Path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "data"


def socket_directory(home: Path, runner: Account) -> Path:
    """Return where the server of `home` has its socket: beside the data, or a short path where that is too long."""
    beside = home / "socket"
    if len(bytes(beside / SOCKET_NAME)) <= SOCKET_PATH_LIMIT_BYTES:
        return beside
    digest = hashlib.sha256(bytes(home)).hexdigest()[:12]
    return Path("/tmp") / f"faceweb-{runner.uid}-{digest}"  # noqa: S108  (make_private looks at what is there)


def make_private(path: Path, runner: Account) -> None:
    """Make `path` a directory that only `runner` can enter.

    Raises:
        PostgresError: Somebody else put something there first.
    """
    try:
        path.mkdir(mode=PRIVATE)
    except FileExistsError:
        pass
    else:
        os.chown(path, runner.uid, runner.gid, follow_symlinks=False)
    found = path.lstat()  # not stat(): a link laid by somebody else must not be followed
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != runner.uid:
        raise PostgresError(
            f"{path} should be a directory of the user {runner.name}, but it is something else or belongs to the user "
            f"with the id {found.st_uid}. Move it out of the way and start again."
        )
    if stat.S_IMODE(found.st_mode) != PRIVATE:
        path.chmod(PRIVATE)


def initialise(installation: Installation, *, durable: bool = True) -> None:
    """Make the data directory unless it is there, and refuse one of another PostgreSQL version."""
    data = installation.data
    if data.exists():
        found = (data / "PG_VERSION").read_text().strip()
        if found != postgres_binaries.MAJOR_VERSION:
            raise PostgresError(
                f"The data in {data} was written by PostgreSQL {found}, and this faceweb brings PostgreSQL "
                f"{postgres_binaries.MAJOR_VERSION}, which cannot read it. Dump it with the faceweb that wrote it, "
                f"move the directory away, and load the dump."
            )
        return
    unfinished = installation.home / "data.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    arguments = ["--username", ROLE, "--auth-local=trust", "--auth-host=reject", "--pgdata", str(unfinished)]
    # The built-in locale does not depend on which locales the machine happens to have.
    arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
    if not durable:
        arguments.append("--no-sync")
    process = _spawn(installation, "initdb", arguments, output=subprocess.PIPE)
    output, _ = process.communicate()
    if process.returncode:
        raise PostgresError(
            f"PostgreSQL could not make its data directory in {installation.home}:\n"
            f"{output.decode(errors='replace').strip()}\n"
            f"Is the disk full, or the directory not writable for {installation.runner.name}?"
        )
    unfinished.rename(data)  # the name appears when the directory is whole


def start(installation: Installation, socket: Path, options: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the server as a child that ends with this process, and wait until it answers.

    Args:
        installation: Where its data is.
        socket: The directory of its socket; it listens nowhere else.
        options: PostgreSQL settings for this run.

    Raises:
        PostgresError: It ended, or did not answer in time; the message holds the end of its log.
    """
    if threading.current_thread() is not threading.main_thread():
        # The kernel sends the death signal when the *thread* that forked ends.
        raise PostgresError("The embedded PostgreSQL has to be started from the main thread.")
    if installation.log.exists():
        installation.log.replace(installation.log.with_suffix(".log.1"))
    arguments = ["-D", str(installation.data), "-k", str(socket), "-h", ""]
    for name, value in options.items():
        arguments += ["-c", f"{name}={value}"]
    with installation.log.open("wb") as log:
        process = _spawn(installation, "postgres", arguments, output=log.fileno())
    try:
        _wait_until_it_answers(process, installation, socket)
    except BaseException:
        stop(process)
        raise
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the server: sessions are ended, what is committed is on disk."""
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, and what nobody can refuse
        if process.poll() is not None:
            return
        process.send_signal(request)
        try:
            process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            continue


def connect(socket: Path, database: str = DATABASE) -> psycopg.Connection[tuple[object, ...]]:
    """Connect to the server whose socket is in `socket`."""
    return psycopg.connect(host=str(socket), user=ROLE, dbname=database, autocommit=True)


def running_pid(data: Path) -> int | None:
    """Return the process id of the server that runs on `data`, if one does.

    A pid file alone proves nothing: after a crash or a reboot its number may be anybody's. So the process must be
    called postgres and work in this very directory.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return pid if _works_in(pid, data) else None


def forget_stale_pid_file(data: Path) -> None:
    """Remove a pid file whose number now belongs to another program; PostgreSQL itself would refuse to start."""
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    for entry in Path("/proc").iterdir():
        # Also a worker that outlived its server: it may still write.
        if entry.name.isdecimal() and _works_in(int(entry.name), data):
            return
    pid_file.unlink(missing_ok=True)


def log_tail(log: Path) -> str:
    """Return the last lines of the server's log, for a message."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "(it has no log)"
    return "\n".join(lines[-LOG_TAIL_LINES:]) or "(its log is empty)"


def _works_in(pid: int, data: Path) -> bool:
    process = Path("/proc", str(pid))
    try:
        return (process / "comm").read_text().strip() == "postgres" and (process / "cwd").samefile(data)
    except OSError:  # it ended meanwhile, or is somebody else's
        return False


def _wait_until_it_answers(process: subprocess.Popen[bytes], installation: Installation, socket: Path) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while True:
        if process.poll() is not None:
            raise PostgresError(
                f"PostgreSQL ended while starting on {installation.data}. The end of its log:\n"
                f"{log_tail(installation.log)}"
            )
        try:
            connect(socket, "postgres").close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise PostgresError(
                    f"PostgreSQL started on {installation.data} but did not answer within {START_DEADLINE_S:.0f} s. "
                    f"The end of its log:\n{log_tail(installation.log)}"
                ) from error
            time.sleep(POLL_INTERVAL_S)
        else:
            return


def _spawn(installation: Installation, program: str, arguments: Sequence[str], output: int) -> subprocess.Popen[bytes]:
    other_user = installation.runner.uid != os.geteuid()
    parent = os.getpid()

    def end_with_parent() -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return subprocess.Popen(
        [str(installation.programs / program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},  # no PG* or LD_* variable of the caller's reaches it
        user=installation.runner.uid if other_user else None,
        group=installation.runner.gid if other_user else None,
        extra_groups=[] if other_user else None,
        start_new_session=True,  # Ctrl-C in a terminal is for faceweb, which then stops the server in its turn
        preexec_fn=end_with_parent,  # noqa: PLW1509  (runs after the change of user, which would clear the signal)
    )
