"""Which `faceweb up` runs on this state directory, for `doctor` and for a second `up` that has to say so."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from faceweb import locks, state

LOCK_DEADLINE_S = 2.0
LOCK_POLL_INTERVAL_S = 0.05


class AlreadyUp(RuntimeError):
    """Another `up` runs on the same state directory."""


@dataclass(frozen=True, slots=True)
class Up:
    """A running `up`.

    Args:
        pid: Its process id.
        addresses: The addresses it printed; empty while it starts.
    """

    pid: int
    addresses: tuple[str, ...]


@contextmanager
def only_up() -> Iterator[None]:
    """Be the only `up` of the state directory for the duration of the block.

    Raises:
        AlreadyUp: Another one is; the message says which process and where it answers.
    """
    with locks.FileLock(_lock_file()) as lock:
        deadline = time.monotonic() + LOCK_DEADLINE_S
        while not lock.try_exclusive():  # `current` below holds it for an instant, another `up` for long
            if time.monotonic() > deadline:
                raise AlreadyUp(_already_up())
            time.sleep(LOCK_POLL_INTERVAL_S)
        announce(())
        try:
            yield
        finally:
            _state_file().unlink(missing_ok=True)


def announce(addresses: Sequence[str]) -> None:
    """Record where this process, which is `up`, answers."""
    state.write_private(_state_file(), json.dumps(asdict(Up(os.getpid(), tuple(addresses)))).encode())


def current() -> Up | None:
    """Return the running `up`, if there is one."""
    with locks.FileLock(_lock_file()) as lock:
        return None if lock.try_exclusive() else _read()


def _read() -> Up | None:
    try:
        found = json.loads(_state_file().read_text())
    except FileNotFoundError:
        return None
    return Up(pid=found["pid"], addresses=tuple(found["addresses"]))


def _already_up() -> str:
    other = _read()
    if other is None:
        return "faceweb is starting up already in another process."
    where = f" at {other.addresses[0]}" if other.addresses else ""
    return f"faceweb is up already{where}, as process {other.pid}. Stop it with Ctrl-C there or `kill {other.pid}`."


def _lock_file() -> Path:
    return state.directory() / "up.lock"


def _state_file() -> Path:
    return state.directory() / "up.json"
