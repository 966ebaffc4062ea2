"""`faceweb verify PERSON IMAGE`: is this them?"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

from recognition import wording
from recognition.decision.verdict import Decision
from recognition.management import photos
from recognition.management.base import FAILED, NOT_ACCEPTED, RecognitionCommand, person_by
from recognition.management.photos import Looked
from recognition.services import search
from recognition.services.search import ClaimCheck


class Command(RecognitionCommand):
    """Compares photos with one enrolled person."""

    help = "Compare the largest face of each photo with an enrolled person, by external id or name."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """PERSON IMAGE..."""
        parser.add_argument("person", help="external id or name")
        parser.add_argument(
            "images", nargs="+", type=photos.place, metavar="image", help="a photo, or a folder of photos"
        )
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the decisions; exit status 1 when one is not accept, 2 when a photo could not be used."""
        person, places, as_json = person_by(options["person"]), options["images"], options["json"]
        with self.recognition():
            looked = photos.looked_at(
                places, lambda image: search.verify_claim(person=person, image=image), quiet=as_json
            )
        rows, lines = [_values(photo) for photo in looked], [_line(photo) for photo in looked]
        if photos.is_one(places):
            self.answer({"person": person.pk, **rows[0]}, lines[0], as_json=as_json)
        else:
            self.answer({"person": person.pk, "photos": rows}, "\n".join(lines), as_json=as_json)
        if any(photo.answer is None for photo in looked):
            sys.exit(FAILED)
        if any(row["decision"] is not Decision.ACCEPT for row in rows):
            sys.exit(NOT_ACCEPTED)


def _values(photo: Looked[ClaimCheck]) -> dict[str, Any]:
    if photo.answer is None:
        return photo.problem_json()
    return {"file": str(photo.path), **dataclasses.asdict(photo.answer)}


def _line(photo: Looked[ClaimCheck]) -> str:
    check = photo.answer
    if check is None:
        return photo.problem_words()
    if check.similarity is None:
        return (
            f"{photo.path}: Not compared. This person has no active sample of the active model pack. Enrol a photo, or "
            "re-enrol after a switch of the pack."
        )
    poor = f" {wording.poor_face(check.faults)}" if check.faults else ""
    measured = f"similarity {check.similarity:.3f}, distance {check.distance:.3f}"
    if check.threshold is None:
        return f"{photo.path}: Not decided. {measured}, and the pack has no measured thresholds.{poor}"
    return f"{photo.path}: {_SAID[check.decision]} {measured}, threshold {check.threshold:.3f}.{poor}"


_SAID: Mapping[Decision | None, str] = {
    Decision.ACCEPT: "Yes:",
    Decision.REJECT_NO_MATCH: "No:",
    Decision.REJECT_NOT_ALLOWED: "Not allowed, as the person is barred:",
}
