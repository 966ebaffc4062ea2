"""`faceweb jobs`: long work for web processes elsewhere, through the database."""

from __future__ import annotations

import argparse
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recognition.jobs import process
from recognition.selectors import jobs


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
        try:
            process.work(stop, ready=lambda: self.stdout.write("faceweb jobs is ready"))
        except process.QueueLost as error:
            raise CommandError(str(error)) from error
