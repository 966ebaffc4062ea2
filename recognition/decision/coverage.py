"""Which views of a person the gallery has: a gallery of one pose and one light misses them in any other."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping
from typing import Any

TURNED_DEGREES = 20.0
"""From here a face counts as turned to a side: twice what the estimate from five landmarks is off by
(`vision.geometry.head_pose_degrees`). Of 1,540 press photos (LFW view 1, people with three or more) 24 % are."""

NODDED_DEGREES = 8.0
"""From here it counts as raised or lowered. The estimate moves less up and down: of the same photos 3 % are."""

DARK, BRIGHT = 0.35, 0.65
"""Mean grey level of the aligned crop below which a sample counts as dark, and above which as bright: 9 % and 2 % of
the same photos."""


class Pose(enum.StrEnum):
    """Where a face looks, as its owner would say: left is their left."""

    FRONT = "front"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


class Light(enum.StrEnum):
    """How bright a face is."""

    DARK = "dark"
    NORMAL = "normal"
    BRIGHT = "bright"


@dataclasses.dataclass(frozen=True, slots=True)
class Coverage:
    """How many samples show each view.

    Args:
        poses: of all poses, also those that no sample shows.
        lights: the same for brightness.
    """

    poses: Mapping[Pose, int]
    lights: Mapping[Light, int]

    @property
    def missing_poses(self) -> tuple[Pose, ...]:
        """Poses that no sample shows."""
        return tuple(pose for pose, count in self.poses.items() if count == 0)


def pose_of(yaw_degrees: float, pitch_degrees: float) -> Pose:
    """The pose by whichever angle is further beyond its limit.

    Args:
        yaw_degrees: turn, positive to the image's right, which is the person's left.
        pitch_degrees: nod, positive downwards.
    """
    turned, nodded = abs(yaw_degrees) / TURNED_DEGREES, abs(pitch_degrees) / NODDED_DEGREES
    if max(turned, nodded) < 1.0:
        return Pose.FRONT
    if turned >= nodded:
        return Pose.LEFT if yaw_degrees > 0 else Pose.RIGHT
    return Pose.DOWN if pitch_degrees > 0 else Pose.UP


def light_of(luminance_mean: float) -> Light:
    """The light by the mean grey level of the aligned crop, 0..1."""
    if luminance_mean < DARK:
        return Light.DARK
    return Light.BRIGHT if luminance_mean > BRIGHT else Light.NORMAL


def of_samples(samples: Iterable[tuple[Mapping[str, Any], str]]) -> Coverage:
    """Counts the views of samples.

    Args:
        samples: what was measured of each, and the pose that it was taken for in a guided enrolment, empty for others.
            That pose was judged against the person's own straight look, so it counts. One without measurements does
            not.
    """
    poses = dict.fromkeys(Pose, 0)
    lights = dict.fromkeys(Light, 0)
    for quality, pose in samples:
        if pose:
            poses[Pose(pose)] += 1
        elif {"yaw_degrees", "pitch_degrees"} <= quality.keys():
            poses[pose_of(quality["yaw_degrees"], quality["pitch_degrees"])] += 1
        if "luminance_mean" in quality:
            lights[light_of(quality["luminance_mean"])] += 1
    return Coverage(poses, lights)
