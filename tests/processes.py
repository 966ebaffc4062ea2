"""Runs the product the way its users do: real processes, a state directory of their own, output read as it comes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

PROJECT = Path(__file__).resolve().parent.parent
DEADLINE_S = 90.0  # generous: a loaded machine is no failure
POLL_INTERVAL_S = 0.02

# What must not leak from the tests' own environment into a product that starts afresh.
OWN_VARIABLES = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE")


class Process:
    """A child process whose output is collected line by line."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        user: str | None = None,
    ) -> None:
        """Start it, as the OS user `user` where one is named."""
        self._popen = subprocess.Popen(
            arguments,
            cwd=cwd,
            env=environment,
            user=user,
            group=None if user is None else "nogroup",
            extra_groups=None if user is None else [],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def output(self) -> str:
        """Everything it has printed so far."""
        with self._changed:
            return "".join(self._lines)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until its output matches `pattern`, and return the match."""
        deadline = time.monotonic() + DEADLINE_S
        with self._changed:
            while True:
                text = "".join(self._lines)
                if found := re.search(pattern, text):
                    return found
                remaining = deadline - time.monotonic()
                if remaining <= 0 or not self._reader.is_alive():
                    raise AssertionError(f"waited in vain for {pattern!r}; the output was:\n{text}")
                self._changed.wait(min(remaining, 1.0))

    def write_line(self, text: str) -> None:
        """Write one line to its standard input."""
        assert self._popen.stdin is not None
        self._popen.stdin.write(f"{text}\n")
        self._popen.stdin.flush()

    def end_input(self) -> None:
        """Close its standard input."""
        assert self._popen.stdin is not None
        self._popen.stdin.close()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._popen.send_signal(number)

    def wait(self) -> int:
        """Wait until it has ended, and return its exit status."""
        status = self._popen.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return status

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._popen.poll() is None

    def close(self) -> None:
        """End it, gently first, if it still runs."""
        if self.is_running():
            self.send(signal.SIGTERM)
            try:
                self._popen.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.send(signal.SIGKILL)
                self._popen.wait()
        self._reader.join(DEADLINE_S)
        for stream in (self._popen.stdin, self._popen.stdout):
            if stream is not None:
                stream.close()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class Server:
    """A running `faceweb up`.

    Args:
        process: Its process.
        address: The first address it printed, without a final slash.
        password: The first user's password, if this was the first run; else empty.
    """

    process: Process
    address: str
    password: str


# One line, a program as JSON, is answered with what it prints and a line that tells how it ended. Each program has
# names of its own.
RUN_PROGRAMS = """
import json, sys, traceback
for number, line in enumerate(sys.stdin, start=1):
    try:
        exec(json.loads(line), {})
    except Exception:
        traceback.print_exc()
        print("FAILED", number, flush=True)
    else:
        print("ENDED", number, flush=True)
"""


@dataclass(slots=True)
class Interpreter:
    """A process with the product's models and database, for many small programs: each would start for seconds.

    Args:
        process: Its process, which runs `RUN_PROGRAMS`.
    """

    process: Process
    _count: int = 0

    def run(self, program: str) -> str:
        """Run a program to its end and return what it printed; fails with its traceback."""
        self._count += 1
        before = len(self.process.output)
        self.process.write_line(json.dumps(program))
        end = self.process.wait_for(rf"(?m)^(ENDED|FAILED) {self._count}\n")
        output = self.process.output[before : end.start()]
        assert end[1] == "ENDED", output
        return output

    def close(self) -> None:
        """End it, in order: it holds the database that it shares."""
        if self.process.is_running():
            self.process.end_input()
            self.process.wait()


@dataclass(slots=True)
class Shell:
    """One `Interpreter` for all programs, started with the first of them.

    Args:
        command_line: Of its installation.
    """

    command_line: CommandLine
    _interpreter: Interpreter | None = None

    def run(self, program: str) -> str:
        """As `Interpreter.run`."""
        if self._interpreter is None:
            self._interpreter = self.command_line.interpreter()
        return self._interpreter.run(program)

    def end(self) -> None:
        """End it, because the server waits for whoever shares its database; the next program starts another."""
        if self._interpreter is not None:
            self._interpreter.close()
            self._interpreter = None


@dataclass(slots=True)
class CommandLine:
    """The command line of one checkout and one state directory.

    Args:
        state: The state directory; None leaves the choice to the product.
        project: The checkout.
        user: The OS user to run as; None for the tests' own.
        variables: Further environment variables.
    """

    state: Path | None
    project: Path = PROJECT
    user: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    _started: list[Process] = field(default_factory=list)

    def start(self, *arguments: str) -> Process:
        """Start `manage.py` with `arguments`."""
        return self.start_python("manage.py", *arguments)

    def start_python(self, *arguments: str) -> Process:
        """Start the interpreter with `arguments`, in the checkout."""
        return self.start_command([interpreter(self.user), *arguments])

    def start_command(self, arguments: Sequence[str]) -> Process:
        """Start any program in the checkout, with the product's environment."""
        process = Process(
            arguments,
            cwd=self.project,
            environment=self._environment(),
            user=self.user,
        )
        self._started.append(process)
        return process

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run `manage.py` with `arguments` to its end; return exit status and output."""
        process = self.start(*arguments)
        status = process.wait()
        return status, process.output

    def up(self, *arguments: str) -> Server:
        """Start `faceweb up` on a free port, and return once it answers."""
        process = self.start("up", "--port", "0", *arguments)
        address = process.wait_for(r"faceweb is up:\n +(https?://\S+)/\n")[1]
        password = re.search(r"with the password (\S+) \(shown", process.output)
        return Server(process, address, password[1] if password else "")

    def interpreter(self) -> Interpreter:
        """Start the product's `shell` for program after program."""
        return Interpreter(self.start("shell", "--no-imports", "-c", RUN_PROGRAMS))

    def close(self) -> None:
        """End everything that was started and still runs."""
        for process in reversed(self._started):
            process.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End everything that was started and still runs."""
        self.close()

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
        environment |= {"PYTHONUNBUFFERED": "1"}
        # Ahead of what an editable installation points to: the code of this very checkout.
        environment["PYTHONPATH"] = os.pathsep.join([str(self.project), sysconfig.get_path("purelib")])
        if self.state is not None:
            environment["FACEWEB_STATE_DIR"] = str(self.state)
        return environment | self.variables


def interpreter(user: str | None) -> str:
    """Return a Python that `user` may run: the tests' own may lie below root's closed home directory."""
    if user is None:
        return sys.executable
    candidates = [Path(sys.executable), Path(f"/usr/bin/python3.{sys.version_info.minor}")]
    for candidate in candidates:
        if candidate.exists() and _open_to_others(candidate.resolve()):
            return str(candidate)
    raise NoInterpreter(f"no Python 3.{sys.version_info.minor} that the user {user} may run")


class NoInterpreter(RuntimeError):
    """The machine has no Python, or no installed packages, that an ordinary user may run."""


def others_can_run() -> bool:
    """Whether an ordinary user can run this checkout's code with this environment's packages."""
    try:
        interpreter("nobody")
    except NoInterpreter:
        return False
    return _open_to_others(PROJECT) and _open_to_others(Path(sysconfig.get_path("purelib")).resolve())


def inet_sockets(pid: int) -> list[psutil._ntuples.pconn]:
    """Return the internet sockets of a process and of all that it started."""
    found: list[psutil._ntuples.pconn] = []
    process = psutil.Process(pid)
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended meanwhile, as PostgreSQL's helpers do
            found += each.net_connections(kind="inet")
    return found


def wait_until_gone(pid: int) -> None:
    """Wait until no process has this id; a zombie that waits for its parent counts as gone."""
    deadline = time.monotonic() + DEADLINE_S
    while _exists(pid):
        if time.monotonic() > deadline:
            raise AssertionError(f"process {pid} still runs")
        time.sleep(POLL_INTERVAL_S)


def _exists(pid: int) -> bool:
    try:
        status = Path("/proc", str(pid), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _open_to_others(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.parents) and bool(path.stat().st_mode & 0o005)
