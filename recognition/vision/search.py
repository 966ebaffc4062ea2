"""Searches an image for faces: at scales that follow the size of the face, and turned for faces of any tilt."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from recognition.vision import geometry, tilt
from recognition.vision.interfaces import FaceDetector
from recognition.vision.types import DetectedFace, ImageBgr, Size, require_image
from recognition.vision.views import SAME_FACE_IOU

FIND_FACE_PX = 24.0
"""Size that the smallest face asked for gets; both YuNet and SCRFD find faces of 16 pixels."""

MAX_FIND_SIDE_PX = 1280
"""Longer side of the largest image that is searched; a 4 K photo is searched at a third."""

MIN_FIND_SIDE_PX = 96
"""Longer side below which a further coarse search finds nothing new."""

STILL_SMALLEST_FACE_PX = 24.0
"""Smallest face looked for in photos: a gate refuses it later, with its measured size."""


QUARTER_TURNS = (0.0, 90.0, 180.0, 270.0)
"""In one of these a detector finds a tilted face; which way up it is, is another question."""


def find(
    detector: FaceDetector,
    image_bgr: ImageBgr,
    *,
    smallest_face_px: float,
    coarser: bool,
    tilt_guess: float | None,
) -> tuple[DetectedFace, ...]:
    """Finds faces; for arguments see `recognition.vision.pipeline.FacePipeline.find`."""
    require_image(image_bgr)
    levels = _levels(image_bgr, smallest_face_px, coarser=coarser)
    if tilt_guess is None:
        return _found(detector, levels, 0.0)

    def straightened(turn: float) -> list[DetectedFace]:
        return [
            tilt.straightened(detector, image_bgr, face, turn_degrees=turn, guess_degrees=tilt_guess)
            for face in _found(detector, levels, turn)
        ]

    for turn in _quarter_turns(tilt_guess):
        found = straightened(turn)
        if found:
            better = _quarter_turns(max(found, key=lambda face: face.score).tilt_degrees)[0]
            # Whoever else is tilted like the face that was found shows best so.
            more = straightened(better) if better != turn else []
            return geometry.non_maximum_suppression([*found, *more], SAME_FACE_IOU)
    return ()


def _quarter_turns(tilt_degrees: float) -> list[float]:
    """All of them, first the one that shows a face of that tilt most upright."""
    return sorted(QUARTER_TURNS, key=lambda turn: abs(tilt.between(turn, tilt_degrees)))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """An image at one of the scales that it is searched at.

    Args:
        image_bgr: scaled.
        scale: of it over the image.
    """

    image_bgr: ImageBgr
    scale: float


def _levels(image_bgr: ImageBgr, smallest_face_px: float, *, coarser: bool) -> tuple[_Level, ...]:
    """The scales at which an image is searched; for arguments see `FacePipeline.find`."""
    longer_side = max(image_bgr.shape[:2])
    scale = min(FIND_FACE_PX / smallest_face_px, MAX_FIND_SIDE_PX / longer_side, 1.0)
    levels = [_Level(geometry.resized(image_bgr, scale), scale)]
    while coarser and scale / 2 * longer_side >= MIN_FIND_SIDE_PX:
        scale /= 2
        last = levels[-1].image_bgr
        levels.append(_Level(geometry.resized(last, scale * longer_side / max(last.shape[:2])), scale))
    return tuple(levels)


def _found(detector: FaceDetector, levels: Sequence[_Level], degrees: float) -> tuple[DetectedFace, ...]:
    """The faces of all levels turned by that angle, in pixels of the image."""
    found = [
        face.transformed(scale=1 / level.scale)
        for level in levels
        for face in _detected_turned(detector, level.image_bgr, degrees)
    ]
    return geometry.non_maximum_suppression(found, SAME_FACE_IOU)


def _detected_turned(detector: FaceDetector, image_bgr: ImageBgr, degrees: float) -> Sequence[DetectedFace]:
    if not degrees:
        return detector.detect(image_bgr)
    turned = geometry.turned(image_bgr, degrees)
    size, canvas = Size.of(image_bgr), Size.of(turned)
    dx, dy = (size.width - canvas.width) / 2, (size.height - canvas.height) / 2
    middle = size.width / 2, size.height / 2
    return [
        geometry.turned_back(face.transformed(scale=1.0, dx=dx, dy=dy), degrees, middle)
        for face in detector.detect(turned)
    ]
