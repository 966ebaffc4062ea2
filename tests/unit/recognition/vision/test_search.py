from __future__ import annotations

import numpy as np
import pytest

from recognition.vision import search
from recognition.vision.types import BoundingBox, DetectedFace, ImageBgr
from tests import fakes
from tests.fakes import FakeDetector


class SpotDetector:
    """Finds a face around the white spot of images that are higher than wide, and always takes it for upright."""

    runtime = "spots"
    sure_score = 0.9
    upright_degrees = 3.0
    tilt_view_px = 64

    def detect(self, image_bgr: ImageBgr) -> tuple[DetectedFace, ...]:
        """See `FaceDetector`."""
        height, width = image_bgr.shape[:2]
        rows, columns = np.nonzero(image_bgr[:, :, 0] > 128)
        if height <= width or not len(rows):
            return ()
        x, y = float(columns.mean()), float(rows.mean())
        return (fakes.detected(BoundingBox(x - 6, y - 8, x + 6, y + 8), 0.9),)


UPRIGHT_ALONE = None


class TestFind:
    @pytest.mark.parametrize(
        ("tilt_guess", "searched"),
        [
            (UPRIGHT_ALONE, [(40, 60)]),
            (0.0, [(40, 60), (60, 40), (60, 40), (40, 60)]),
            (90.0, [(60, 40), (40, 60), (40, 60), (60, 40)]),  # the quarter turn nearest to the guess comes first
            (-100.0, [(60, 40), (40, 60), (40, 60), (60, 40)]),
            (170.0, [(40, 60), (60, 40), (60, 40), (40, 60)]),
        ],
    )
    def test_turns_an_image_that_shows_no_face(self, tilt_guess: float | None, searched: list[tuple[int, int]]) -> None:
        detector = FakeDetector()
        image = np.zeros((40, 60, 3), np.uint8)
        assert search.find(detector, image, smallest_face_px=24, coarser=False, tilt_guess=tilt_guess) == ()
        assert [seen.shape[:2] for seen in detector.images] == searched

    def test_gives_pixels_of_the_image(self) -> None:
        image = np.zeros((100, 300, 3), np.uint8)
        image[20:23, 250:253] = 255
        (face,) = search.find(SpotDetector(), image, smallest_face_px=48, coarser=True, tilt_guess=0.0)
        # A pixel of the search is two of the image.
        assert face.box.middle_xy == pytest.approx((251, 21), abs=1.5)
        assert (face.box.width, face.box.height) == pytest.approx((32, 24))  # it lies on its side
        assert abs(face.tilt_degrees) == pytest.approx(90, abs=1)

    def test_takes_an_image_of_one_pixel(self) -> None:
        detector = FakeDetector()
        search.find(detector, np.zeros((1, 1, 3), np.uint8), smallest_face_px=24, coarser=True, tilt_guess=0.0)
        assert [image.shape for image in detector.images] == [(1, 1, 3)] * 4
