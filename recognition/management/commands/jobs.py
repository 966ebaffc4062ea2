"""`faceweb jobs`: long work for web processes elsewhere, through the database."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recognition.jobs import process
from recognition.selectors import jobs

logger = logging.getLogger(__name__)

AGAIN_AFTER_S = 2.0
"""How long a process whose database went away waits before it looks for it again."""


class Command(BaseCommand):
    """Runs until it is told to stop."""

    help = "Do long work, such as checks of the gallery; `faceweb up` without REDIS_URL does it by itself."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Nothing to work, --health to ask."""
        parser.add_argument("--health", action="store_true", help="only say whether some jobs process is alive")

    def handle(self, *args: Any, **options: Any) -> None:
        """Works until SIGTERM or Ctrl-C, then leaves what it has in hand for the next process."""
        if options["health"]:
            if not jobs.is_anybody_working():
                raise CommandError("No jobs process is alive, on this machine or on another.")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        ready = threading.Event()

        def tell() -> None:
            ready.set()
            self.stdout.write("faceweb jobs is ready")

        while not stop.is_set():
            try:
                process.work(stop, ready=tell)
            except process.QueueLost as error:
                # At the start somebody looks on; later the database may be away for a while.
                if not ready.is_set():
                    raise CommandError(str(error)) from error
                logger.error("%s", error)
                stop.wait(AGAIN_AFTER_S)
