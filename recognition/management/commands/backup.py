"""`faceweb backup FILE`: database, pictures and keys in one signed archive."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from faceweb import env, signing, state
from recognition.management import archiving
from recognition.management.base import RecognitionCommand
from recognition.services import backup

SECRET_KEY = "secret_key"  # noqa: S105  # the name of a member, and of a file in the state directory


class Command(RecognitionCommand):
    """Backs the installation up while it runs."""

    help = "Write everything that this installation knows to one signed file, which `faceweb restore` reads."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """FILE."""
        parser.add_argument("file", type=Path, help="the archive, such as faceweb-2026-11-27.zip; never overwritten")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Shows progress on standard error; prints the fingerprint that a restore elsewhere asks for."""
        # A key that the environment gives is kept where it comes from.
        keys = {} if env.SECRET_KEY.is_set() else {SECRET_KEY: state.secret_key().encode()}
        is_shown = not options["json"]
        with self.explained(), archiving.progress("Copying", total=None, is_shown=is_shown) as report:
            made = backup.write(
                path=options["file"], key=signing.key(), keys=keys, program=archiving.program(), report=report
            )
        people, samples = made.rows["recognition_person"], made.rows["recognition_facesample"]
        values = {
            "file": str(options["file"]),
            "bytes": made.size,
            "moment": made.moment.isoformat(),
            "fingerprint": made.fingerprint,
            "rows": dict(made.rows),
            "keys": sorted(keys),
        }
        words = (
            f"Wrote {options['file']}, {archiving.megabytes(made.size)}: {people:,} people, {samples:,} samples, "
            f"{sum(made.rows.values()):,} rows in all.\n"
            f"Fingerprint of the key that signed it, for a restore elsewhere; keep it apart from the file:\n"
            f"  {made.fingerprint}\n"
            "The file holds faces and secrets and is not encrypted: keep it as closed as the installation itself."
        )
        self.answer(values, words, as_json=options["json"])
