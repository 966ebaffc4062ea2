"""`faceweb compare IMAGE IMAGE`: do two photos show the same person?"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

from recognition.decision.verdict import Decision
from recognition.management.base import NOT_ACCEPTED, RecognitionCommand, file_content
from recognition.services import search


class Command(RecognitionCommand):
    """Compares two photos."""

    help = "Compare the largest faces of two photos."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """IMAGE IMAGE."""
        parser.add_argument("first", type=Path, help="a photo")
        parser.add_argument("second", type=Path, help="another photo")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints similarity, distance and decision; exit status 1 when it is not accept."""
        first, second = file_content(options["first"]), file_content(options["second"])
        with self.recognition():
            result = search.compare_photos(first=first, second=second)
        measured = f"similarity {result.similarity:.3f}, distance {result.distance:.3f}"
        words = {
            Decision.ACCEPT: f"The same person: {measured}.",
            Decision.REJECT_NO_MATCH: f"Not the same person: {measured}.",
            None: f"Not decided: {measured}, and the pack has no measured thresholds.",
        }
        self.answer(dataclasses.asdict(result), words[result.decision], as_json=options["json"])
        if result.decision is not Decision.ACCEPT:
            sys.exit(NOT_ACCEPTED)
