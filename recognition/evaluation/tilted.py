"""How well faces that are tilted are seen, held against the same faces upright."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from recognition.vision.types import DetectedFace, Landmarks

ANGLES = tuple(range(0, 360, 15))
"""Degrees by which each face is tilted."""

MOST_LANDMARK_ERROR = 0.1
"""Of the eye distance, by which landmarks may be off in the mean."""

LEAST_SIMILARITY = 0.8


@dataclasses.dataclass(frozen=True, slots=True)
class Sight:
    """One tilted face as it was seen.

    Args:
        search_ms: what the search for it took.
        landmark_error: mean distance of the five landmarks from where they belong, over the eye distance; None for a
            face that was not found.
        similarity: cosine similarity to the same face upright; None likewise.
    """

    search_ms: float
    landmark_error: float | None = None
    similarity: float | None = None

    @property
    def is_placed(self) -> bool:
        """Whether its landmarks are where they belong."""
        return self.landmark_error is not None and self.landmark_error <= MOST_LANDMARK_ERROR

    @property
    def is_alike(self) -> bool:
        """Whether its vector is still that of the face."""
        return self.similarity is not None and self.similarity >= LEAST_SIMILARITY


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """What came of several faces.

    Args:
        faces: how many there were.
        found: how many were found.
        placed: how many of these with landmarks where they belong.
        alike: how many of these with a vector that is still the face's.
        right: how many of these with both.
        search_ms: median time of a search.
    """

    faces: int
    found: int
    placed: int
    alike: int
    right: int
    search_ms: float

    @classmethod
    def of(cls, sights: Sequence[Sight]) -> Row:
        """Counts."""
        return cls(
            faces=len(sights),
            found=sum(sight.landmark_error is not None for sight in sights),
            placed=sum(sight.is_placed for sight in sights),
            alike=sum(sight.is_alike for sight in sights),
            right=sum(sight.is_placed and sight.is_alike for sight in sights),
            search_ms=float(np.median([sight.search_ms for sight in sights])) if sights else 0.0,
        )


def landmark_error(seen: Landmarks, true: Landmarks) -> float:
    """Mean distance of five landmarks from the true ones, over the true eye distance."""
    off = np.linalg.norm(seen.points_xy - true.points_xy, axis=1)
    return float(off.mean()) / max(true.inter_eye_distance, 1e-6)


def nearest(faces: Sequence[DetectedFace], true: DetectedFace, *, least_iou: float) -> DetectedFace | None:
    """The face that lies where it should; None when there is none."""
    best = max(faces, key=lambda face: face.box.iou(true.box), default=None)
    return best if best is not None and best.box.iou(true.box) >= least_iou else None
