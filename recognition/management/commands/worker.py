"""`faceweb worker`: recognition for web processes elsewhere, through Redis."""

from __future__ import annotations

import argparse
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from recognition import conf
from recognition.services import meeting
from recognition.vision.errors import PackError
from recognition.worker import recogniser
from recognition.worker.remote import RedisWorker, is_alive


class Command(BaseCommand):
    """Runs until it is told to stop."""

    help = "Recognise faces for web processes on this and other machines; they meet in REDIS_URL."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Nothing to work, --health to ask."""
        parser.add_argument("--health", action="store_true", help="only say whether this host's worker is alive")

    def handle(self, *args: Any, **options: Any) -> None:
        """Works until SIGTERM or Ctrl-C, then finishes what is in hand."""
        if not settings.FACEWEB_REDIS_URL:
            raise CommandError(
                "A worker of its own needs REDIS_URL, where it meets the web processes. Without Redis `faceweb up` "
                "recognises in its own process."
            )
        if options["health"]:
            if not is_alive(settings.FACEWEB_REDIS_URL):
                raise CommandError("No worker of this host is alive.")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            recogniser.measure_threads()
            ready = recogniser.start()
        except PackError as error:
            raise CommandError(str(error)) from error
        recogniser.limit_statements()
        feeding = RedisWorker(settings.FACEWEB_REDIS_URL, ready, conf.worker_threads())
        self.stdout.write(f"faceweb worker is ready: {ready.runtime}, {conf.worker_threads()} threads")
        while not stop.wait(meeting.HEARTBEAT_INTERVAL_S):
            feeding.beat()
        feeding.stop()
