"""What to tell somebody before the camera, and when their face may be taken as a sample of a wanted pose.

The gates decide first, so that no advice contradicts what would refuse the sample; then the pose; then stillness.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence

from recognition.decision.coverage import NODDED_DEGREES, TURNED_DEGREES, Pose, pose_of
from recognition.decision.policy import QualityFault, SampleReason
from recognition.vision.types import BoundingBox, Quality

MOVED_SHARE = 0.1
"""Share of its own size by which a face may move, or grow, from one picture to the next and still be held still."""


class Advice(enum.StrEnum):
    """What to do now."""

    TAKE = "take"
    UNREADABLE = "unreadable"
    COME_INTO_VIEW = "come_into_view"
    ONE_PERSON = "one_person"
    CLOSER = "closer"
    WHOLE_FACE = "whole_face"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    HOLD_STILL = "hold_still"
    CLEARER = "clearer"
    TURN_BACK = "turn_back"
    LOOK_STRAIGHT = "look_straight"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    LOOK_DOWN = "look_down"
    HEAD_LEVEL = "head_level"
    FACE_FORWARD = "face_forward"


_OF_FAULT = {
    SampleReason.UNREADABLE: Advice.UNREADABLE,
    SampleReason.IMAGE_TOO_LARGE: Advice.UNREADABLE,
    SampleReason.TOO_MANY_PIXELS: Advice.UNREADABLE,
    SampleReason.NO_FACE: Advice.COME_INTO_VIEW,
    SampleReason.MULTIPLE_FACES: Advice.ONE_PERSON,
    SampleReason.FACE_TOO_SMALL: Advice.CLOSER,
    SampleReason.FACE_CLIPPED: Advice.WHOLE_FACE,
    SampleReason.TOO_DARK: Advice.MORE_LIGHT,
    SampleReason.TOO_BRIGHT: Advice.LESS_LIGHT,
    SampleReason.LOW_SHARPNESS: Advice.HOLD_STILL,
    SampleReason.LOW_DETECTION_SCORE: Advice.CLEARER,
    SampleReason.EXTREME_POSE: Advice.TURN_BACK,
    # The camera gave the very same picture twice; the next one will differ.
    SampleReason.DUPLICATE_SAMPLE: Advice.HOLD_STILL,
}

_TO_REACH = {
    Pose.FRONT: Advice.LOOK_STRAIGHT,
    Pose.LEFT: Advice.TURN_LEFT,
    Pose.RIGHT: Advice.TURN_RIGHT,
    Pose.UP: Advice.LOOK_UP,
    Pose.DOWN: Advice.LOOK_DOWN,
}


def of_faults(faults: Sequence[QualityFault]) -> Advice:
    """The advice that mends the first of some faults.

    Raises:
        ValueError: without any fault.
    """
    if not faults:
        raise ValueError("faults: expected one or more")
    return _OF_FAULT[faults[0].reason]


def advise(
    *, quality: Quality, box: BoundingBox, before: BoundingBox | None, wanted: Pose, level_pitch_degrees: float = 0.0
) -> Advice:
    """What to tell somebody whose face passes the gates; `TAKE` when it is a sample of the pose.

    Args:
        quality: what was measured of the face.
        box: where it is, in pixels of the picture.
        before: where it was in the picture before; None where it was not seen yet, so that nobody knows if it moves.
        wanted: the pose that is asked for, as the person would say it.
        level_pitch_degrees: what this face measured when it looked straight. The length of a nose and the height of the
            camera move the estimate of everybody by their own few degrees, and up and down are not many more.
    """
    yaw, pitch = quality.yaw_degrees, quality.pitch_degrees - level_pitch_degrees
    if pose_of(yaw, pitch) is not wanted:
        return _towards(wanted, yaw, pitch)
    return Advice.TAKE if before is not None and is_still(box, before) else Advice.HOLD_STILL


def is_still(box: BoundingBox, before: BoundingBox) -> bool:
    """Whether a face stayed where it was, by its own size."""
    moved = math.dist(_centre(box), _centre(before))
    grown = abs(box.shorter_side - before.shorter_side)
    return max(moved, grown) <= MOVED_SHARE * box.shorter_side


def _towards(wanted: Pose, yaw: float, pitch: float) -> Advice:
    """How to come from another pose to the wanted one."""
    is_turned = {Pose.LEFT: yaw >= TURNED_DEGREES, Pose.RIGHT: yaw <= -TURNED_DEGREES}.get(wanted, False)
    is_nodded = {Pose.DOWN: pitch >= NODDED_DEGREES, Pose.UP: pitch <= -NODDED_DEGREES}.get(wanted, False)
    # Far enough where it should be, and further the other way.
    if is_turned:
        return Advice.HEAD_LEVEL
    return Advice.FACE_FORWARD if is_nodded else _TO_REACH[wanted]


def _centre(box: BoundingBox) -> tuple[float, float]:
    return (box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2
