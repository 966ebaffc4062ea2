"""`faceweb enrol NAME IMAGE...`: adds photos to a person, who is enrolled if new."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from recognition.management import photos
from recognition.management.base import FAILED, NOT_ACCEPTED, RecognitionCommand
from recognition.management.enrolling import FileResult
from recognition.models import FaceSample
from recognition.services import enrolment


class Command(RecognitionCommand):
    """Enrols one person."""

    help = "Enrol a person from photos; a name that is not enrolled yet is added."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """NAME IMAGE..."""
        parser.add_argument("name", help="the person's name")
        parser.add_argument(
            "images",
            nargs="+",
            type=photos.place,
            metavar="image",
            help="photos of that person alone, or folders of them",
        )
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints a line a file; exit status 1 when none was enrolled, 2 when a file could not be read from the disk."""
        as_json = options["json"]
        with self.recognition():
            person = enrolment.find_or_create_person(name=options["name"], actor=None)
            looked = photos.looked_at(
                options["images"],
                lambda image: enrolment.add_sample(
                    person=person, data=image, source=FaceSample.Source.COMMAND, actor=None
                ),
                quiet=as_json,
            )
        results = [FileResult(person, photo.path, photo.answer) if photo.answer else photo for photo in looked]
        rows = [result.as_json() if isinstance(result, FileResult) else result.problem_json() for result in results]
        lines = [result.words() if isinstance(result, FileResult) else result.problem_words() for result in results]
        self.answer({"person": person.pk, "name": person.name, "results": rows}, "\n".join(lines), as_json=as_json)
        if any(photo.answer is None for photo in looked):
            sys.exit(FAILED)
        if not any(photo.answer and photo.answer.accepted for photo in looked):
            sys.exit(NOT_ACCEPTED)
