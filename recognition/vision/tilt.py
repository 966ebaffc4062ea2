"""Which way up a face is.

A detector that was trained on upright faces finds tilted ones too, but takes them for more upright than they are, up to
putting the eyes of a face that stands on its head where its mouth is. Its score tells which way up is right: it is
highest there. How much of a tilt its landmarks tell depends on the size at which it sees the face. The numbers:
docs/adr/0015-tilted-faces-and-mtcnn.md.
"""

from __future__ import annotations

import dataclasses

from recognition.vision import geometry
from recognition.vision.interfaces import FaceDetector
from recognition.vision.model_packs import LandmarkView
from recognition.vision.types import DetectedFace, ImageBgr
from recognition.vision.views import Part

STEP_DEGREES = 45
"""Between the looks that tell which way up is right; one of them shows the face within half of that."""

STEP_VIEW = LandmarkView(side_px=256, context=2.5)
STEP_IOU = 0.2
"""Less than elsewhere: a face that is taken for upright is taken to be a little elsewhere."""

STEP_LOSS = 0.05
"""How much less than `sure_score` the best of these looks may score. Which is best of a face so blurred that all score
less is chance."""

SHARED_DEGREES = 5.0
"""A face that is shown more tilted than so much beyond its detector's `upright_degrees` is straightened, one between
the two by a share that grows evenly: a photo saved anew shows its face a little more or less tilted, and keeps its
vector."""

LEVEL_DEGREES = 2.0
"""A look that shows the eye line within that of level is not followed by another one."""

TOLD_TILT = 0.75
"""The share of a tilt that landmarks tell, of what detectors tell the middle: so each look comes nearer to level."""

REFINEMENTS = 4


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A face, and by how much it was turned counter-clockwise when it was seen so."""

    face: DetectedFace
    turn_degrees: float


def roll_degrees(face: DetectedFace) -> float:
    """The tilt of the eye line, positive clockwise, -180..180."""
    return geometry.head_pose_degrees(face.landmarks)[2]


def between(degrees: float, other_degrees: float) -> float:
    """The angle from one tilt to another, -180..180."""
    return (other_degrees - degrees + 180.0) % 360.0 - 180.0


def straightened(
    detector: FaceDetector, image_bgr: ImageBgr, face: DetectedFace, *, turn_degrees: float, guess_degrees: float
) -> DetectedFace:
    """The same face with the landmarks and the score that it has where it stands upright.

    Args:
        detector: that found it.
        image_bgr: where it was found.
        face: in pixels of that image.
        turn_degrees: by how much the image was turned counter-clockwise when it was found.
        guess_degrees: the tilt that is tried first, and alone where that shows it upright.

    Returns:
        The very face where it is upright already, else one that knows by how much it is to be turned upright: its tilt,
        or a share of that where it is hardly tilted. One too blurred to tell which way up it is stays as it was
        found, but that one found in a turned image is turned by its landmarks.
    """
    turn, seen = turn_degrees, _look(detector, image_bgr, face, turn_degrees)
    if not _is_upright(detector, seen, turn):
        best = _best_seen(detector, image_bgr, face, guess_degrees)
        if best is not None and best.face.score >= detector.sure_score - STEP_LOSS:
            turn, seen = best.turn_degrees, _look(detector, image_bgr, best.face, best.turn_degrees)
        elif turn == 0.0:
            return face
    share = _share(roll_degrees(seen), detector.upright_degrees) if turn == 0.0 else 1.0
    if share == 0.0:
        return face
    for _ in range(REFINEMENTS):
        off = between(turn, roll_degrees(seen))
        if abs(off) <= LEVEL_DEGREES:
            break
        turn += off / TOLD_TILT
        seen = _look(detector, image_bgr, seen, turn)
    return dataclasses.replace(seen, tilt_degrees=share * roll_degrees(seen))


def _share(shown_degrees: float, upright_degrees: float) -> float:
    """How much of its tilt is taken from a face that is shown so tilted, 0..1."""
    return min(max((abs(shown_degrees) - upright_degrees) / SHARED_DEGREES, 0.0), 1.0)


def _look(detector: FaceDetector, image_bgr: ImageBgr, face: DetectedFace, turn_degrees: float) -> DetectedFace:
    """The face as it shows its tilt best, turned counter-clockwise; as it was where it is not seen so."""
    part = Part.around(image_bgr, face.box)
    view = LandmarkView(side_px=detector.tilt_view_px, context=2.0)
    seen = part.seen(detector, part.of_image(face), view, turn_degrees)
    return part.in_image(seen) if seen is not None else face


def _is_upright(detector: FaceDetector, face: DetectedFace, turn_degrees: float) -> bool:
    """Whether a face stands upright, give or take half a step, where it was seen turned by so much."""
    return face.score >= detector.sure_score and abs(between(turn_degrees, roll_degrees(face))) < STEP_DEGREES / 2


def _best_seen(detector: FaceDetector, image_bgr: ImageBgr, face: DetectedFace, guess_degrees: float) -> _Seen | None:
    """The face as it is seen most upright, turned in steps from a guess; None where no look shows it."""
    part = Part.around(image_bgr, face.box)
    best: _Seen | None = None
    for step in range(0, 360, STEP_DEGREES):
        turn = guess_degrees + step
        seen = part.seen(detector, part.of_image(face), STEP_VIEW, turn, least_iou=STEP_IOU)
        if seen is not None and (best is None or seen.score > best.face.score):
            best = _Seen(part.in_image(seen), turn)
    return best
