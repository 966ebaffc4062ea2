"""`faceweb compare IMAGE IMAGE`: do two photos show the same person?"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recognition import wording
from recognition.decision.verdict import Decision
from recognition.management import photos
from recognition.management.base import FAILED, NOT_ACCEPTED, RecognitionCommand
from recognition.services import search
from recognition.services.search import Comparison


class Command(RecognitionCommand):
    """Compares two photos, or each photo of a folder with each of another."""

    help = "Compare the largest faces of two photos, or of all photos of two folders."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """IMAGE IMAGE."""
        parser.add_argument("first", type=photos.place, help="a photo, or a folder of photos")
        parser.add_argument("second", type=photos.place, help="another photo, or a folder of photos")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints similarity, distance and decision of each two photos.

        Exit status 1 when some are not accept, 2 when a photo could not be used.
        """
        places, as_json = (options["first"], options["second"]), options["json"]
        with self.recognition():
            firsts, seconds = (
                photos.looked_at([each], lambda image: search.largest_face(image=image), quiet=as_json)
                for each in places
            )
            pairs = [
                ((first.path, second.path), search.compare_faces(first=first.answer, second=second.answer))
                for first in firsts
                for second in seconds
                if first.answer and second.answer
            ]
        unused = [photo for photo in (*firsts, *seconds) if photo.answer is None]
        if any(each.is_dir() for each in places):
            self.answer(
                {
                    "pairs": [
                        {"first": str(first), "second": str(second), **dataclasses.asdict(result)}
                        for (first, second), result in pairs
                    ],
                    "unused": [photo.problem_json() for photo in unused],
                },
                "\n".join(
                    [
                        *(f"{first} and {second}: {_words(result)}" for (first, second), result in pairs),
                        *_poor(pairs),
                        *(photo.problem_words() for photo in unused),
                    ]
                ),
                as_json=as_json,
            )
        else:
            result = pairs[0][1]
            self.answer(dataclasses.asdict(result), "\n".join([_words(result), *_poor(pairs)]), as_json=as_json)
        if unused:
            sys.exit(FAILED)
        if any(result.decision is not Decision.ACCEPT for _, result in pairs):
            sys.exit(NOT_ACCEPTED)


def _poor(pairs: Sequence[tuple[tuple[Path, Path], Comparison]]) -> list[str]:
    """A line for each photo from which little can be told."""
    faults = {path: faults for paths, result in pairs for path, faults in zip(paths, result.faults, strict=True)}
    return [f"{path}: {wording.poor_face(why)}" for path, why in faults.items() if why]


def _words(result: Comparison) -> str:
    measured = f"similarity {result.similarity:.3f}, distance {result.distance:.3f}"
    if result.threshold is None:
        return f"Not decided: {measured}, and the pack has no measured thresholds."
    said = "The same person" if result.decision is Decision.ACCEPT else "Not the same person"
    return f"{said}: {measured}, threshold {result.threshold:.3f}."
