"""`faceweb identify IMAGE`: whom the faces of a photo are like."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import Any

from recognition import wording
from recognition.decision.matching import Candidate, unit_distance
from recognition.decision.verdict import Decision
from recognition.management import photos
from recognition.management.base import FAILED, RecognitionCommand
from recognition.services import search
from recognition.services.search import FaceMatches, PhotoSearch


class Command(RecognitionCommand):
    """Searches the gallery for every face of a photo."""

    help = "Search the gallery for every face of photos; exit status 0 whoever is found, also nobody, 2 for a bad file."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """IMAGE..."""
        parser.add_argument(
            "images", nargs="+", type=photos.place, metavar="image", help="a photo, or a folder of photos"
        )
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints a line a face; exit status 2 when a photo could not be used, else 0: nobody is an answer too."""
        places, as_json = options["images"], options["json"]
        with self.recognition():
            looked = photos.looked_at(places, lambda image: search.search_photo(image=image), quiet=as_json)
        if photos.is_one(places) and looked[0].answer:
            self.answer(_values(looked[0].answer), _words(looked[0].answer), as_json=as_json)
            return
        rows = [
            {"file": str(photo.path), **_values(photo.answer)} if photo.answer else photo.problem_json()
            for photo in looked
        ]
        words = [
            f"{photo.path}:\n{_words(photo.answer)}" if photo.answer else photo.problem_words() for photo in looked
        ]
        self.answer({"photos": rows}, "\n".join(words), as_json=as_json)
        if any(photo.answer is None for photo in looked):
            sys.exit(FAILED)


def _values(found: PhotoSearch) -> dict[str, Any]:
    return {
        "pack": found.pack_name,
        "policy_version": found.policy_version,
        "threshold": found.threshold,
        "needs_reembedding": found.needs_reembedding,
        "faces": [
            {
                "box": dataclasses.asdict(face.box),
                "quality": face.quality.as_json(),
                "decision": face.decision.value if face.decision else None,
                "margin": face.margin,
                "objection": face.objection,
                "faults": [dataclasses.asdict(fault) for fault in face.faults],
                "candidates": [_candidate(candidate) for candidate in face.candidates],
            }
            for face in found.faces
        ],
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {**dataclasses.asdict(candidate), "distance": unit_distance(candidate.similarity)}


def _words(found: PhotoSearch) -> str:
    lines = [_line(number, face) for number, face in enumerate(found.faces, start=1)]
    if not lines:
        lines.append("No face was found.")
    if found.needs_reembedding:
        lines.append("Some enrolled people are missing from this pack's gallery: it needs re-embedding.")
    if found.threshold is not None:
        lines.append(f"Threshold: {found.threshold:.3f}")
    else:
        lines.append(f"The pack {found.pack_name} has no measured thresholds: nothing is decided.")
    return "\n".join(lines)


def _line(number: int, face: FaceMatches) -> str:
    similar = ", ".join(
        f"{candidate.person_name} {candidate.similarity:.3f}, distance {unit_distance(candidate.similarity):.3f}"
        for candidate in face.candidates
    )
    if face.decision is Decision.ACCEPT:
        said = face.candidates[0].person_name
    elif face.objection:
        said = f"unknown. {face.objection}"
    elif face.decision is Decision.REJECT_AMBIGUOUS:
        said = "too close between two people"
    else:
        said = "unknown" if face.decision else "not decided"
    poor = f"  {wording.poor_face(face.faults)}" if face.faults else ""
    return f"Face {number}: {said}  (similarity: {similar or 'nobody is enrolled'}){poor}"
