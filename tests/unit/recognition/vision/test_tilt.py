from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.vision import geometry, tilt
from recognition.vision.types import DetectedFace, ImageBgr
from tests import fakes


class CompassDetector:
    """Sees one face in every image, whose eye line lies from a green spot to a red one.

    As a real detector it scores upright faces best, and its landmarks tell a share of the tilt only. One that is
    misled scores faces best that stand on their head, as happens with what is blurred, and tells no tilt.
    """

    runtime = "compass"
    tilt_view_px = 192
    upright_degrees = 3.0

    def __init__(self, told: float = 1.0, sure_score: float = 0.94, *, is_misled: bool = False) -> None:
        self.sure_score = sure_score
        self._best_at = 180.0 if is_misled else 0.0
        self.looks = 0
        self._told = told

    def detect(self, image_bgr: ImageBgr) -> tuple[DetectedFace, ...]:
        """See `FaceDetector`."""
        self.looks += 1
        green, red = (
            np.argwhere((image_bgr[:, :, channel] > 100) & (image_bgr[:, :, 0] < 50)).mean(axis=0)[::-1]
            for channel in (1, 2)
        )
        (x, y), (across, down) = (green + red) / 2, red - green
        roll = np.degrees(np.arctan2(down, across))
        side = np.hypot(across, down)
        off = abs(tilt.between(self._best_at, roll))
        upright = fakes.detected(fakes.box(x - side, y - side, 2 * side), 0.95 - off / 1000)
        seen = geometry.turned_back(upright, self._told * roll, (x, y))
        return (dataclasses.replace(upright, landmarks=seen.landmarks),)


def shown(degrees: float) -> ImageBgr:
    """Two spots 40 pixels apart around the middle of 300 by 300 pixels, tilted clockwise."""
    image = np.zeros((300, 300, 3), np.uint8)
    across = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]) * 20
    for end, colour in ((-1, (0, 255, 0)), (1, (0, 0, 255))):
        sixteenths = (16 * (150 + end * across)).round().astype(int).tolist()
        cv2.circle(image, sixteenths, 5 * 16, colour, -1, shift=4)
    return image


def straightened(detector: CompassDetector, image: ImageBgr, *, guess: float = 0.0) -> DetectedFace:
    (face,) = detector.detect(image)
    detector.looks = 0
    return tilt.straightened(detector, image, face, turn_degrees=0.0, guess_degrees=guess)


class TestStraightened:
    @pytest.mark.parametrize("told", [1.0, 0.75, 0.4])
    @pytest.mark.parametrize("degrees", [-170, -135, -90, -30, 25, 45, 100, 180])
    def test_knows_the_tilt_however_little_of_it_landmarks_tell(self, degrees: float, told: float) -> None:
        face = straightened(CompassDetector(told), shown(degrees))
        most_off = tilt.LEVEL_DEGREES / told + 1
        assert abs(tilt.between(degrees, face.tilt_degrees)) < most_off
        assert abs(tilt.between(degrees, tilt.roll_degrees(face))) < most_off
        assert face.box.middle_xy == pytest.approx((150, 150), abs=3)

    def test_leaves_an_upright_face_alone_after_one_look(self) -> None:
        detector, image = CompassDetector(), shown(2)
        (face,) = detector.detect(image)
        detector.looks = 0
        assert tilt.straightened(detector, image, face, turn_degrees=0.0, guess_degrees=0.0) is face
        assert detector.looks == 1
        assert face.tilt_degrees == 0.0

    def test_takes_a_share_of_the_tilt_of_a_face_that_is_hardly_tilted(self) -> None:
        taken = [straightened(CompassDetector(), shown(degrees)).tilt_degrees for degrees in np.arange(1.0, 11.0, 0.5)]
        assert taken[0] == 0.0
        assert taken[-1] == pytest.approx(10.5, abs=1.0)
        assert max(np.diff(taken)) < 2.5, "it jumps"

    def test_looks_all_around_only_where_the_first_look_is_not_sure(self) -> None:
        sure, unsure = CompassDetector(sure_score=0.9), CompassDetector(sure_score=0.98)
        straightened(sure, shown(10))
        straightened(unsure, shown(10))
        assert unsure.looks - sure.looks >= 360 // tilt.STEP_DEGREES

    @pytest.mark.parametrize(("sure_score", "turned"), [(0.99, 180), (1.01, 0)])
    def test_believes_a_look_only_where_it_scores_nearly_as_an_upright_face(
        self, sure_score: float, turned: int
    ) -> None:
        misled = CompassDetector(told=0.0, sure_score=sure_score, is_misled=True)
        assert straightened(misled, shown(0)).tilt_degrees == pytest.approx(turned, abs=1)

    @pytest.mark.parametrize(("score", "guess"), [(0.7, 0.0), (0.95, 90.0)])
    def test_of_a_face_that_no_look_shows_is_the_face(self, score: float, guess: float) -> None:
        face = fakes.detected(fakes.box(side=60), score)
        image = np.zeros((200, 200, 3), np.uint8)
        assert tilt.straightened(fakes.FakeDetector(), image, face, turn_degrees=0.0, guess_degrees=guess) is face


@given(degrees=st.floats(-1000, 1000), other=st.floats(-1000, 1000))
def test_the_angle_between_two_tilts_is_the_shorter_way(degrees: float, other: float) -> None:
    between = tilt.between(degrees, other)
    assert -180 <= between <= 180
    assert abs((degrees + between - other + 180) % 360 - 180) == pytest.approx(0.0, abs=1e-6)
