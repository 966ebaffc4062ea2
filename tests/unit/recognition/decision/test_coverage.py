from __future__ import annotations

import pytest

from recognition.decision import coverage
from recognition.decision.coverage import BRIGHT, DARK, NODDED_DEGREES, TURNED_DEGREES, Light, Pose


@pytest.mark.parametrize(
    ("yaw", "pitch", "pose"),
    [
        (0, 0, Pose.FRONT),
        (TURNED_DEGREES - 0.1, NODDED_DEGREES - 0.1, Pose.FRONT),
        (TURNED_DEGREES, 0, Pose.LEFT),
        (-TURNED_DEGREES, 0, Pose.RIGHT),
        (0, -NODDED_DEGREES, Pose.UP),
        (0, NODDED_DEGREES, Pose.DOWN),
        (2 * TURNED_DEGREES, NODDED_DEGREES, Pose.LEFT),
        (TURNED_DEGREES, 2 * NODDED_DEGREES, Pose.DOWN),
    ],
)
def test_the_pose_is_that_of_the_angle_further_beyond_its_limit(yaw: float, pitch: float, pose: Pose) -> None:
    assert coverage.pose_of(yaw, pitch) is pose


@pytest.mark.parametrize(
    ("luminance", "light"),
    [(0, Light.DARK), (DARK, Light.NORMAL), (0.5, Light.NORMAL), (BRIGHT, Light.NORMAL), (1, Light.BRIGHT)],
)
def test_the_light_is_told_by_the_mean_grey_level(luminance: float, light: Light) -> None:
    assert coverage.light_of(luminance) is light


def test_without_samples_every_view_is_missing() -> None:
    found = coverage.of_samples([])
    assert found.missing_poses == tuple(Pose)
    assert set(found.lights.values()) == {0}


def test_samples_are_counted_and_one_without_measurements_is_not() -> None:
    front = {"yaw_degrees": 0, "pitch_degrees": 0, "luminance_mean": 0.5}
    found = coverage.of_samples(
        [(front, ""), (front, ""), ({**front, "yaw_degrees": 40, "luminance_mean": 0.1}, ""), ({}, ""), (front, "up")]
    )
    assert found.poses == {Pose.FRONT: 2, Pose.LEFT: 1, Pose.RIGHT: 0, Pose.UP: 1, Pose.DOWN: 0}
    assert found.lights == {Light.DARK: 1, Light.NORMAL: 3, Light.BRIGHT: 0}
    assert found.missing_poses == (Pose.RIGHT, Pose.DOWN)
