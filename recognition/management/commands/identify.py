"""`faceweb identify IMAGE`: whom the faces of a photo are like."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from recognition.decision.verdict import Decision
from recognition.management.base import RecognitionCommand, file_content
from recognition.services import search
from recognition.services.search import FaceMatches, PhotoSearch


class Command(RecognitionCommand):
    """Searches the gallery for every face of a photo."""

    help = "Search the gallery for every face of a photo."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """IMAGE."""
        parser.add_argument("image", type=Path, help="a photo")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints a line a face."""
        with self.recognition():
            found = search.search_photo(image=file_content(options["image"]))
        self.answer(_values(found), _words(found), as_json=options["json"])


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
                "candidates": [dataclasses.asdict(candidate) for candidate in face.candidates],
            }
            for face in found.faces
        ],
    }


def _words(found: PhotoSearch) -> str:
    lines = [_line(number, face) for number, face in enumerate(found.faces, start=1)]
    if not lines:
        lines.append("No face was found.")
    if found.needs_reembedding:
        lines.append("Some enrolled people are missing from this pack's gallery: it needs re-embedding.")
    if found.threshold is None:
        lines.append(f"The pack {found.pack_name} has no measured thresholds: nothing is decided.")
    return "\n".join(lines)


def _line(number: int, face: FaceMatches) -> str:
    similar = ", ".join(f"{candidate.person_name} {candidate.similarity:.3f}" for candidate in face.candidates)
    if face.decision is Decision.ACCEPT:
        said = face.candidates[0].person_name
    elif face.decision is Decision.REJECT_AMBIGUOUS:
        said = "too close between two people"
    else:
        said = "unknown" if face.decision else "not decided"
    return f"Face {number}: {said}  (similarity: {similar or 'nobody is enrolled'})"
