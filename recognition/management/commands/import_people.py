"""`faceweb import-people FOLDER`: a folder a person, a photo a sample."""

from __future__ import annotations

import argparse
import collections
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from recognition.management.base import FAILED, RecognitionCommand
from recognition.management.enrolling import FileResult, enrol_files
from recognition.models import FaceSample
from recognition.services import enrolment

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


class Command(RecognitionCommand):
    """Imports a folder of people."""

    help = "Enrol people from a folder that holds a folder a person, named after them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """FOLDER."""
        parser.add_argument("folder", type=Path, help="holds a folder for each person")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Shows progress on standard error and the refused files at the end.

        Importing a folder again adds only what is not enrolled yet.
        """
        people = _people(options["folder"])
        total = sum(len(paths) for paths in people.values())
        results: list[FileResult] = []
        with self.recognition(), tqdm(total=total, unit="photo", disable=options["json"]) as bar:

            def done(result: FileResult) -> None:
                results.append(result)
                bar.update()

            for name, paths in people.items():
                # Underscores stand for spaces in the folders of most face data sets.
                person = enrolment.find_or_create_person(name=name.replace("_", " "), actor=None)
                enrol_files(person, paths, FaceSample.Source.IMPORT, done)
        taken = sum(result.result.accepted for result in results)
        aside = sum(bool(result.result.doubts) for result in results)
        values = {
            "people": len(people),
            "photos": total,
            "enrolled": taken,
            "set_aside": aside,
            "reasons": dict(
                collections.Counter(fault.reason.value for result in results for fault in result.result.faults)
            ),
            "results": [result.as_json() for result in results],
        }
        refused = "\n".join(result.words() for result in results if not result.result.accepted)
        words = f"{refused}\nPeople: {len(people)}. Photos enrolled: {taken} of {total}, set aside: {aside}.".strip()
        self.answer(values, words, as_json=options["json"])


def _people(folder: Path) -> dict[str, list[Path]]:
    """The photos of each person, by the name of their folder.

    Raises:
        CommandError: when there is no such folder, or none with photos in it.
    """
    if not folder.is_dir():
        raise CommandError(f"There is no folder {folder}.", returncode=FAILED)
    people = {
        inner.name: sorted(path for path in inner.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
        for inner in sorted(folder.iterdir())
        if inner.is_dir()
    }
    people = {name: paths for name, paths in people.items() if paths}
    if not people:
        raise CommandError(
            f"No photos were found. Expected {folder}/NAME/PHOTO.jpg, a folder for each person.",
            returncode=FAILED,
        )
    return people
