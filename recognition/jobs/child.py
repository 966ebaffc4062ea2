"""The jobs process of `faceweb up`; `recognition.services.children` is its other end.

Run as `python -m recognition.jobs.child CONTROL`, the number of an inherited file descriptor. Says there that it is
ready, and works until it is closed there: by a parent that stops, or by the end of one that was killed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection

import django

from faceweb import env

NICENESS = 10
"""Half way to the lowest priority: long work gets what live recognition leaves, and still goes on beside it."""

logger = logging.getLogger(__name__)

STOP_TIMEOUT_S = 8.0
"""A step that has not ended by then is cut off, as by kill -9: the next process does it again."""


def main() -> None:
    """The process."""
    # The parent decides when it is over, as for recognition.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    control = Connection(int(sys.argv[1]))
    # Whoever stands before a camera comes first.
    os.nice(NICENESS)
    env.SETTINGS_MODULE.tell(env.SETTINGS_MODULE.read())
    django.setup()
    # Imported here, because they import models.
    from faceweb import schema
    from recognition.jobs import process
    from recognition.services.children import READY

    stop = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(control, stop), daemon=True).start()
    # A parent that is gone hears nothing.
    with contextlib.suppress(OSError, process.QueueLost):
        process.work(stop, ready=lambda: control.send_bytes(READY))
    schema.close_connections()


def _wait_for_the_end(control: Connection, stop: threading.Event) -> None:
    with contextlib.suppress(EOFError, OSError):
        control.recv_bytes()
    stop.set()
    timer = threading.Timer(STOP_TIMEOUT_S, os._exit, args=(1,))
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    main()
