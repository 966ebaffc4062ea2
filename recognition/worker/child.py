"""A recognition process of `faceweb up`; `recognition.services.children` is its other end.

Run as `python -m recognition.worker.child CONTROL LANE...`, the numbers of inherited file descriptors.
Says on CONTROL that it is ready, or why it is not. Then answers requests on every lane, each in a thread
of its own, until CONTROL is closed there: by a parent that stops, or by the end of one that was killed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import django

from faceweb import env

if TYPE_CHECKING:
    from recognition.worker.processing import Look
    from recognition.worker.recogniser import Recogniser

logger = logging.getLogger(__name__)

STOP_TIMEOUT_S = 5.0
"""A thread that has not finished by then hangs, and ends with the process."""


def main() -> None:
    """The process."""
    # The parent decides when it is over: a signal to all processes must not lose what is in hand.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    control, *lanes = [Connection(int(descriptor)) for descriptor in sys.argv[1:]]
    env.SETTINGS_MODULE.tell(env.SETTINGS_MODULE.read())
    # As in `faceweb worker`: a pool would make its threads wait for the next try after an outage.
    env.DATABASE_CONNECTIONS.tell("0")
    django.setup()
    # A parent that is gone hears nothing.
    with contextlib.suppress(OSError, EOFError):
        recogniser = _started(control, len(lanes))
        _serve(control, lanes, recogniser)


def _started(control: Connection, lanes: int) -> Recogniser:
    # Imported here, because models need the settings, which `main` has just chosen.
    from recognition import wiring
    from recognition.services.children import READY
    from recognition.vision.errors import PackError
    from recognition.worker import recogniser
    from recognition.worker.engine import EngineSource

    try:
        recogniser.measure_threads()
        ready = recogniser.start(EngineSource(dataclasses.replace(wiring.runtime_options(), threads=lanes)))
    except PackError as error:
        control.send_bytes(str(error).encode())
        sys.exit(1)
    except Exception as error:
        logger.exception("recognition cannot start")
        control.send_bytes(f"{type(error).__name__}, see above".encode())
        sys.exit(1)
    recogniser.limit_statements()
    control.send_bytes(READY)
    return ready


def _serve(control: Connection, lanes: Sequence[Connection], recogniser: Recogniser) -> None:
    threads = [
        threading.Thread(target=_answer, args=(lane, recogniser), name=f"recognition-{number}", daemon=True)
        for number, lane in enumerate(lanes)
    ]
    for thread in threads:
        thread.start()
    with contextlib.suppress(EOFError):
        control.recv_bytes()
    for thread in threads:
        thread.join(STOP_TIMEOUT_S)


def _answer(lane: Connection, recogniser: Recogniser) -> None:
    # Imported here, because they import models.
    from django import db

    from recognition.services import wire
    from recognition.services.wire import Ahead, Reply

    ahead: tuple[Ahead, Look | None] | None = None
    try:
        while True:
            message = wire.decode_lane_message(lane.recv_bytes())
            if isinstance(message, Ahead):
                ahead = message, recogniser.look_ahead(message)
                continue
            look = None
            if message.was_ahead and ahead is not None:
                message, look = dataclasses.replace(message, image=ahead[0].image), ahead[1]
            ahead = None
            lane.send_bytes(wire.encode(Reply(message.id, recogniser.answer(message, look))))
    except (EOFError, OSError):
        # The parent has closed it.
        pass
    finally:
        db.connections.close_all()


if __name__ == "__main__":
    main()
