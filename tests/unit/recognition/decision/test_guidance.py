"""Advice before the camera: the gates first, then the pose, then stillness."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition import guided_wording
from recognition.decision import guidance
from recognition.decision.coverage import Pose, pose_of
from recognition.decision.guidance import Advice
from recognition.decision.policy import QualityFault, QualityGates, SampleReason
from recognition.vision.types import BoundingBox
from tests import fakes

WHERE = fakes.box()


def advice(yaw: float, pitch: float, wanted: Pose, before: BoundingBox | None = WHERE) -> Advice:
    quality = fakes.quality(yaw_degrees=yaw, pitch_degrees=pitch)
    return guidance.advise(quality=quality, box=WHERE, before=before, wanted=wanted)


@pytest.mark.parametrize(
    ("yaw", "pitch", "wanted", "expected"),
    [
        (0, 0, Pose.FRONT, Advice.TAKE),
        (25, 0, Pose.FRONT, Advice.LOOK_STRAIGHT),
        (0, -9, Pose.FRONT, Advice.LOOK_STRAIGHT),
        # The image's right is the person's own left.
        (25, 0, Pose.LEFT, Advice.TAKE),
        (20, 0, Pose.LEFT, Advice.TAKE),
        (19.9, 0, Pose.LEFT, Advice.TURN_LEFT),
        (-25, 0, Pose.LEFT, Advice.TURN_LEFT),
        (25, 12, Pose.LEFT, Advice.HEAD_LEVEL),
        (-25, 0, Pose.RIGHT, Advice.TAKE),
        (25, 0, Pose.RIGHT, Advice.TURN_RIGHT),
        (-25, -12, Pose.RIGHT, Advice.HEAD_LEVEL),
        (0, -9, Pose.UP, Advice.TAKE),
        (0, 9, Pose.UP, Advice.LOOK_UP),
        (45, -9, Pose.UP, Advice.FACE_FORWARD),
        (0, 9, Pose.DOWN, Advice.TAKE),
        (0, 0, Pose.DOWN, Advice.LOOK_DOWN),
        (-45, 9, Pose.DOWN, Advice.FACE_FORWARD),
    ],
)
def test_the_advice_leads_to_the_wanted_pose(yaw: float, pitch: float, wanted: Pose, expected: Advice) -> None:
    assert advice(yaw, pitch, wanted) is expected


@pytest.mark.parametrize(
    ("pitch", "level", "wanted", "expected"),
    [
        (-3, 5, Pose.UP, Advice.TAKE),
        (-3, 4, Pose.UP, Advice.LOOK_UP),
        (3, -5, Pose.DOWN, Advice.TAKE),
        (9, 5, Pose.DOWN, Advice.LOOK_DOWN),
        (9, 5, Pose.FRONT, Advice.TAKE),
    ],
)
def test_up_and_down_count_from_the_person_s_own_straight_look(
    pitch: float, level: float, wanted: Pose, expected: Advice
) -> None:
    quality = fakes.quality(yaw_degrees=0.0, pitch_degrees=pitch)
    told = guidance.advise(quality=quality, box=WHERE, before=WHERE, wanted=wanted, level_pitch_degrees=level)
    assert told is expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (None, Advice.HOLD_STILL),
        (fakes.box(), Advice.TAKE),
        (fakes.box(x=110), Advice.TAKE),
        (fakes.box(x=115), Advice.HOLD_STILL),
        (fakes.box(y=80), Advice.HOLD_STILL),
        (fakes.box(side=140), Advice.HOLD_STILL),
    ],
)
def test_a_face_is_taken_when_it_is_where_it_was(before: BoundingBox | None, expected: Advice) -> None:
    assert advice(0, 0, Pose.FRONT, before) is expected


def test_the_pose_comes_before_stillness() -> None:
    assert advice(0, 0, Pose.LEFT, None) is Advice.TURN_LEFT


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (SampleReason.NO_FACE, Advice.COME_INTO_VIEW),
        (SampleReason.MULTIPLE_FACES, Advice.ONE_PERSON),
        (SampleReason.FACE_TOO_SMALL, Advice.CLOSER),
        (SampleReason.TOO_DARK, Advice.MORE_LIGHT),
        (SampleReason.TOO_BRIGHT, Advice.LESS_LIGHT),
        (SampleReason.LOW_SHARPNESS, Advice.HOLD_STILL),
        (SampleReason.EXTREME_POSE, Advice.TURN_BACK),
    ],
)
def test_a_fault_is_told_how_to_mend(reason: SampleReason, expected: Advice) -> None:
    assert guidance.of_faults([QualityFault(reason, 0, 1), QualityFault(SampleReason.FACE_CLIPPED, 0, 1)]) is expected


def test_no_fault_has_no_advice() -> None:
    with pytest.raises(ValueError, match="faults"):
        guidance.of_faults([])


@pytest.mark.parametrize("reason", SampleReason)
def test_every_fault_has_an_advice_and_none_takes(reason: SampleReason) -> None:
    assert guidance.of_faults([QualityFault(reason, 0, 1)]) is not Advice.TAKE


@pytest.mark.parametrize("code", Advice)
def test_every_advice_has_a_sentence(code: Advice) -> None:
    assert guided_wording.advice_sentence(code)


@given(
    yaw=st.floats(-90, 90),
    pitch=st.floats(-90, 90),
    wanted=st.sampled_from(Pose),
    moved=st.floats(-200, 200),
)
def test_whatever_is_taken_is_still_and_of_the_wanted_pose(
    yaw: float, pitch: float, wanted: Pose, moved: float
) -> None:
    before = fakes.box(x=100 + moved)
    if advice(yaw, pitch, wanted, before) is Advice.TAKE:
        assert pose_of(yaw, pitch) is wanted
        assert abs(moved) <= guidance.MOVED_SHARE * WHERE.shorter_side + 1e-9


def test_the_widest_pose_that_the_gates_let_through_can_be_taken() -> None:
    gates = QualityGates()
    for yaw, wanted in ((gates.max_yaw_degrees, Pose.LEFT), (-gates.max_yaw_degrees, Pose.RIGHT)):
        assert not gates.faults(fakes.quality(yaw_degrees=yaw))
        assert advice(yaw, 0, wanted) is Advice.TAKE
