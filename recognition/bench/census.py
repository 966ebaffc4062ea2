"""What a server of ours holds, counted by itself when it is asked from outside; for `faceweb bench soak`.

Nobody sees a process's tasks from outside. A signal asks for them, and a file answers.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType

SIGNAL = signal.SIGUSR1
TIMEOUT_S = 20.0
POLL_INTERVAL_S = 0.02


class NoCensus(Exception):
    """The server did not answer."""


@dataclasses.dataclass(frozen=True, slots=True)
class Census:
    """What the server's process holds.

    Args:
        tasks: of its event loop, those that have ended left out.
        threads: of Python.
    """

    tasks: int
    threads: int


def answer(path: Path) -> None:
    """Lets this process answer; to be called in its main thread.

    Args:
        path: where it writes to.
    """

    def write(_number: int, _frame: FrameType | None) -> None:
        held = {"tasks": _tasks(), "threads": threading.active_count()}
        half = path.with_suffix(".half")
        half.write_text(json.dumps(held))
        half.replace(path)

    signal.signal(SIGNAL, write)


def _tasks() -> int:
    # Whatever the event loop is, and whichever thread it runs in. `isinstance` would ask the object itself, and a lazy
    # one of Django would come alive, or complain that its request is over.
    gc.collect()
    return sum(issubclass(type(each), asyncio.Task) and not each.done() for each in gc.get_objects())


def ask(pid: int, path: Path) -> Census:
    """Asks a process that answers.

    Args:
        pid: of it.
        path: where it writes to.

    Raises:
        NoCensus: when it has ended, or is too busy.
    """
    path.unlink(missing_ok=True)
    try:
        os.kill(pid, SIGNAL)
    except ProcessLookupError as error:
        raise NoCensus("The server has ended.") from error
    deadline = time.monotonic() + TIMEOUT_S
    while not path.exists():
        if time.monotonic() > deadline:
            raise NoCensus(f"The server did not say within {TIMEOUT_S:g} s what it holds.")
        time.sleep(POLL_INTERVAL_S)
    return Census(**json.loads(path.read_text()))
