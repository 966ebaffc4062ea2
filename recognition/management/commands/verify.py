"""`faceweb verify PERSON IMAGE`: is this them?"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

from recognition.decision.verdict import Decision
from recognition.management.base import NOT_ACCEPTED, RecognitionCommand, file_content, person_by
from recognition.services import search


class Command(RecognitionCommand):
    """Compares a photo with one enrolled person."""

    help = "Compare the largest face of a photo with an enrolled person, by external id or name."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """PERSON IMAGE."""
        parser.add_argument("person", help="external id or name")
        parser.add_argument("image", type=Path, help="a photo")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the decision; exit status 1 when it is not accept."""
        person = person_by(options["person"])
        with self.recognition():
            check = search.verify_claim(person=person, image=file_content(options["image"]))
        shown = "none" if check.similarity is None else f"{check.similarity:.3f}"
        threshold = "none" if check.threshold is None else f"{check.threshold:.3f}"
        words = {
            Decision.ACCEPT: f"Yes: similarity {shown}, threshold {threshold}.",
            Decision.REJECT_NO_MATCH: f"No: similarity {shown}, threshold {threshold}.",
            Decision.REJECT_NOT_ALLOWED: f"Not allowed: similarity {shown}, threshold {threshold}, but barred.",
            None: f"Not decided: similarity {shown}, and the pack has no measured thresholds.",
        }
        if check.similarity is None:
            words[check.decision] = (
                "Not compared: this person has no active sample of the active model pack. Enrol a photo, or "
                "re-enrol after a switch of the pack."
            )
        values = {"person": person.pk, **dataclasses.asdict(check)}
        self.answer(values, words[check.decision], as_json=options["json"])
        if check.decision is not Decision.ACCEPT:
            sys.exit(NOT_ACCEPTED)
