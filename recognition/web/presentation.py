"""What templates cannot do themselves: numbering, and pictures that are not stored anywhere."""

from __future__ import annotations

import base64
import dataclasses

import numpy as np

from recognition import wording
from recognition.evaluation import targets
from recognition.evaluation.gallery_scores import EDGES, Counts, Tally
from recognition.evaluation.targets import Rate
from recognition.services import search
from recognition.services.pictured import PicturedFace

BINS_A_BAR = 20
"""Bins of a thousandth that are drawn as one bar: steps of 0.02."""


@dataclasses.dataclass(frozen=True, slots=True)
class FaceCard:
    """One face of a searched photo as the page shows it.

    Args:
        number: Counted from 1, in the order of the search.
        matches: What the search found.
        crop_uri: The face's picture as a data: address, because a searched photo is not stored.
        warning: That little can be told from it, and why; empty for a good one.
    """

    number: int
    matches: search.FaceMatches
    crop_uri: str
    warning: str


def face_cards(found: search.PhotoSearch) -> tuple[FaceCard, ...]:
    """The faces of a photo search, ready for the template."""
    return tuple(
        FaceCard(
            number=number,
            matches=face,
            crop_uri=_data_uri(face.crop_jpeg),
            warning=wording.poor_face(face.faults),
        )
        for number, face in enumerate(found.faces, start=1)
    )


def _data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


@dataclasses.dataclass(frozen=True, slots=True)
class PhotoCard:
    """One of two photos that are compared, as the page shows it.

    Args:
        number: 1 or 2.
        pictured: the face, where it is in the photo, and the photo's size.
        preview_uri: The photo as a data: address, because it is not stored.
        aligned_uri: The face as the embedder got it, likewise.
        points: (x, y) of the landmarks in pixels of the photo.
        point_radius: of a mark, in pixels of the photo: as large on the page whatever the photo's size.
    """

    number: int
    pictured: PicturedFace
    preview_uri: str
    aligned_uri: str
    points: tuple[tuple[float, float], ...]
    point_radius: float


def photo_card(number: int, pictured: PicturedFace) -> PhotoCard:
    """A photo of a comparison, ready for the template."""
    points = pictured.face.face.landmarks.points_xy
    return PhotoCard(
        number=number,
        pictured=pictured,
        preview_uri=_data_uri(pictured.preview_jpeg),
        aligned_uri=_data_uri(pictured.aligned_jpeg),
        points=tuple((float(x), float(y)) for x, y in points),
        point_radius=max(pictured.size.width, pictured.size.height) / 120,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the histogram; the picture is 1 high, and 1 wide for a similarity of 1.

    Args:
        x: where it begins: the lowest similarity that it counts.
        top: of its upper end, 0 being the top of the picture.
        height: share of the comparisons, the largest one being 1.
    """

    x: float
    top: float
    height: float


@dataclasses.dataclass(frozen=True, slots=True)
class Histogram:
    """How similar samples of one person and of two people of the gallery are.

    Args:
        left: the lowest similarity that is drawn.
        width: to the highest one that is drawn.
        bar_width: in similarity.
        mated: comparisons of one person.
        non_mated: comparisons of two people.
        wrong: comparisons of two people that reach the similarity shown.
        missed: comparisons of one person that do not.
    """

    left: float
    width: float
    bar_width: float
    mated: tuple[Bar, ...]
    non_mated: tuple[Bar, ...]
    wrong: Rate
    missed: Rate


def histogram(tally: Tally, similarity: float) -> Histogram:
    """What was measured on the gallery, beside a similarity.

    Args:
        tally: what was counted.
        similarity: of the two photos.
    """
    mated, non_mated = _bars(tally.mated), _bars(tally.non_mated)
    drawn = [similarity, *(bar.x for bar in (*mated, *non_mated))]
    left, right = min(drawn) - BINS_A_BAR / 1000, max(drawn) + 2 * BINS_A_BAR / 1000
    wrong, missed = targets.verification_at(tally, similarity)
    return Histogram(left, right - left, BINS_A_BAR / 1000, mated, non_mated, wrong, missed)


def _bars(counts: Counts) -> tuple[Bar, ...]:
    padded = np.append(counts, np.zeros(-len(counts) % BINS_A_BAR, np.int64))
    steps = padded.reshape(-1, BINS_A_BAR).sum(axis=1)
    highest = max(1, int(steps.max()))
    return tuple(
        Bar(float(EDGES[step * BINS_A_BAR]), 1 - int(steps[step]) / highest, int(steps[step]) / highest)
        for step in np.flatnonzero(steps)
    )
