"""Programs that a benchmark starts, and that end with it, whatever ends it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

STOP_TIMEOUT_S = 30.0
START_TIMEOUT_S = 180.0
"""The first start prepares the networks and creates a database; a busy machine needs a minute."""

POLL_INTERVAL_S = 0.05
LOG_TAIL_CHARACTERS = 2000

PR_SET_PDEATHSIG = 1  # prctl(2)
RUN = f"""
import ctypes, os, sys
ctypes.CDLL(None).prctl({PR_SET_PDEATHSIG}, {int(signal.SIGINT)})
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs a program that ends with the benchmark, also when that is killed and nobody is left to stop it. Asked for
by the child itself, because code between fork and exec can hang in a process with as many threads as this."""


class ServerFailed(Exception):
    """A program that the benchmark needs did not start, or refused what was asked of it."""


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Holds back what would end the benchmark: half a start or half a stop would leave something behind."""
    held: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda number, _frame: held.append(number)) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[0])


def start(arguments: Sequence[str], *, environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Starts a program; to be called, with the arrangement of its stop, in `undisturbed`.

    Args:
        arguments: the program by its whole path, and its arguments.
        environment: of it.
        log: takes what it says.
    """
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-c", RUN, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches the benchmark alone, which then stops its programs in order.
            start_new_session=True,
        )


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, *, what: str) -> None:
    """Waits until a program can work.

    Args:
        ready: asked again and again.
        process: the program.
        log: what it says.
        what: its name in a sentence.

    Raises:
        ServerFailed: when it ends or takes too long; the message ends as its output did.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if ready():
            return
        if process.poll() is not None:
            break
        time.sleep(POLL_INTERVAL_S)
    said = log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]
    raise ServerFailed(f"The benchmark's {what} did not start; it said:\n{said}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a program, in order if it can."""
    # Not SIGTERM: before it serves, it would end at once and leave to itself what it has begun.
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
