from __future__ import annotations

import cv2
import numpy as np
import pytest

from recognition.vision import alignment, quality
from recognition.vision.types import BoundingBox, Size
from tests import faces, fakes

FRAME = Size(640, 480)


def crop(level: int) -> np.ndarray:
    return np.full((112, 112, 3), level, np.uint8)


@pytest.mark.parametrize(("level", "mean"), [(0, 0.0), (51, 0.2), (255, 1.0)])
def test_a_flat_crop_has_its_brightness_and_no_sharpness(level: int, mean: float) -> None:
    measured = quality.measure(fakes.detected(), crop(level), FRAME)
    assert measured.luminance_mean == pytest.approx(mean)
    assert measured.sharpness == 0.0


def test_blur_lowers_sharpness() -> None:
    sharp = faces.tom_hanks()
    blurred = np.asarray(cv2.GaussianBlur(sharp, (9, 9), 3), np.uint8)
    measured = [quality.measure(fakes.detected(), image, FRAME).sharpness for image in (blurred, sharp)]
    assert measured[0] < 20 < 100 < measured[1]


def test_a_face_is_as_large_as_the_shorter_side_of_its_box_and_as_visible_as_its_share_in_the_frame() -> None:
    face = fakes.detected(BoundingBox(-50, 0, 50, 120), score=0.8)
    measured = quality.measure(face, crop(100), FRAME)
    assert (measured.face_size_px, measured.visible_fraction, measured.detection_score) == (100, 0.5, 0.8)
    assert measured.inter_eye_distance_px == pytest.approx(face.landmarks.inter_eye_distance)


def test_the_same_face_nearer_is_larger_and_about_as_sharp() -> None:
    image = faces.astronaut()
    (face,) = faces.default_pipeline().find(image)
    enlarged = np.asarray(cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), np.uint8)
    near = face.transformed(scale=2)
    measured = [
        quality.measure(found, alignment.align(picture, found.landmarks), Size.of(picture))
        for picture, found in ((image, face), (enlarged, near))
    ]
    assert measured[1].face_size_px == pytest.approx(2 * measured[0].face_size_px)
    assert measured[1].sharpness == pytest.approx(measured[0].sharpness, rel=0.5)
    assert measured[1].yaw_degrees == pytest.approx(measured[0].yaw_degrees, abs=1)
