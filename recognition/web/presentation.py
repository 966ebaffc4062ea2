"""What templates cannot do themselves: numbering, and pictures that are not stored anywhere."""

from __future__ import annotations

import base64
import dataclasses

from recognition.services import search


@dataclasses.dataclass(frozen=True, slots=True)
class FaceCard:
    """One face of a searched photo as the page shows it.

    Args:
        number: Counted from 1, in the order of the search.
        matches: What the search found.
        crop_uri: The face's picture as a data: address, because a searched photo is not stored.
    """

    number: int
    matches: search.FaceMatches
    crop_uri: str


def face_cards(found: search.PhotoSearch) -> tuple[FaceCard, ...]:
    """The faces of a photo search, ready for the template."""
    return tuple(
        FaceCard(
            number=number,
            matches=face,
            crop_uri="data:image/jpeg;base64," + base64.b64encode(face.crop_jpeg).decode("ascii"),
        )
        for number, face in enumerate(found.faces, start=1)
    )
