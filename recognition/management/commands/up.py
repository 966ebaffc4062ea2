"""`faceweb up`: everything started, the address printed."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from faceweb import listening
from recognition.services.children import StartFailed


class Command(BaseCommand):
    """Parses nothing itself: `faceweb.cli` has handed the arguments to the settings before they loaded."""

    help = "Start the web server, the recognition worker and, without DATABASE_URL, the database."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare where to listen."""
        listening.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until Ctrl-C."""
        # Imported here, because it starts Twisted, and `help` imports every command.
        from faceweb import server

        try:
            server.serve(
                listening.from_options(
                    host=options["host"], https=options["https"], public_hosts=options["public_host"]
                )
            )
        except StartFailed as error:
            raise CommandError(str(error)) from error
