"""`faceweb enrol NAME IMAGE...`: adds photos to a person, who is enrolled if new."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from recognition.management import photos
from recognition.management.base import NOT_ACCEPTED, RecognitionCommand
from recognition.management.enrolling import enrol_files
from recognition.models import FaceSample
from recognition.services import enrolment


class Command(RecognitionCommand):
    """Enrols one person."""

    help = "Enrol a person from photos; a name that is not enrolled yet is added."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """NAME IMAGE..."""
        parser.add_argument("name", help="the person's name")
        parser.add_argument("images", nargs="+", type=photos.place, metavar="image", help="photos of that person alone")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints a line a file; exit status 1 when none was enrolled."""
        with self.recognition():
            person = enrolment.find_or_create_person(name=options["name"], actor=None)
            results = enrol_files(person, options["images"], FaceSample.Source.COMMAND)
        values = {
            "person": person.pk,
            "name": person.name,
            "results": [result.as_json() for result in results],
        }
        self.answer(values, "\n".join(result.words() for result in results), as_json=options["json"])
        if not any(result.result.accepted for result in results):
            sys.exit(NOT_ACCEPTED)
