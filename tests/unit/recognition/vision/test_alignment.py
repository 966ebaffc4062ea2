from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.vision import alignment, geometry
from recognition.vision.alignment import ARCFACE_CUT, ARCFACE_TEMPLATE_XY, CROP_SIZE_PX, Cut
from recognition.vision.types import BoundingBox, Landmarks
from tests import faces, fakes


def moved(points: np.ndarray, angle: float, scale: float, dx: float, dy: float) -> np.ndarray:
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.asarray(points @ (scale * turn).T + [dx, dy], np.float32)


class TestSimilarityTransform:
    def test_of_points_onto_themselves_changes_nothing(self) -> None:
        matrix = alignment.similarity_transform(ARCFACE_TEMPLATE_XY, ARCFACE_TEMPLATE_XY)
        np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-4)

    @given(
        angle=st.floats(-math.pi, math.pi),
        scale=st.floats(0.1, 10),
        dx=st.floats(-500, 500),
        dy=st.floats(-500, 500),
    )
    def test_recovers_a_known_rotation_scale_and_shift(self, angle: float, scale: float, dx: float, dy: float) -> None:
        matrix = alignment.similarity_transform(ARCFACE_TEMPLATE_XY, moved(ARCFACE_TEMPLATE_XY, angle, scale, dx, dy))
        turn = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        np.testing.assert_allclose(matrix[:, :2], np.multiply(scale, turn), atol=1e-3)
        np.testing.assert_allclose(matrix[:, 2], [dx, dy], atol=0.05)

    def test_never_mirrors_even_where_the_points_are_mirrored(self) -> None:
        mirrored = ARCFACE_TEMPLATE_XY * np.array([-1, 1], np.float32)
        matrix = alignment.similarity_transform(mirrored, ARCFACE_TEMPLATE_XY)
        assert np.linalg.det(matrix[:, :2]) > 0

    def test_of_points_that_fall_together_is_finite(self) -> None:
        matrix = alignment.similarity_transform(np.zeros((5, 2), np.float32), ARCFACE_TEMPLATE_XY)
        assert np.isfinite(matrix).all()


class TestAlign:
    def test_of_a_face_that_lies_like_the_template_is_the_image_itself(self) -> None:
        image = faces.tom_hanks()
        crop = alignment.align(image, fakes.detected(BoundingBox(0, 0, CROP_SIZE_PX, CROP_SIZE_PX)).landmarks)
        np.testing.assert_array_equal(crop, image)

    def test_gives_the_embedders_size_and_black_where_the_image_ends(self) -> None:
        image = np.full((50, 50, 3), 255, np.uint8)
        crop = alignment.align(image, fakes.detected(BoundingBox(-25, 0, 25, 50)).landmarks)
        assert crop.shape == (CROP_SIZE_PX, CROP_SIZE_PX, 3)
        assert crop[56, 10].tolist() == [0, 0, 0]
        assert crop[56, 100].tolist() == [255, 255, 255]

    @pytest.mark.parametrize("quarter_turns", [1, 2, 3])
    def test_sets_a_turned_face_upright(self, quarter_turns: int) -> None:
        image = faces.tom_hanks()
        points = fakes.detected(BoundingBox(0, 0, CROP_SIZE_PX, CROP_SIZE_PX)).landmarks.points_xy
        for _ in range(quarter_turns):
            points = np.stack([points[:, 1], CROP_SIZE_PX - 1 - points[:, 0]], axis=1)
        crop = alignment.align(np.ascontiguousarray(np.rot90(image, quarter_turns)), Landmarks(points.copy()))
        difference = np.abs(crop.astype(int) - image)[2:-2, 2:-2]
        assert difference.mean() < 1


class TestCut:
    def test_is_the_aligned_crop_where_nothing_else_is_said(self) -> None:
        image, face = faces.tom_hanks(), fakes.detected(BoundingBox(10, 10, 100, 100))
        np.testing.assert_array_equal(ARCFACE_CUT.of(image, face), alignment.align(image, face.landmarks))

    def test_of_another_size_shows_the_same(self) -> None:
        image, face = faces.tom_hanks(), fakes.detected(BoundingBox(0, 0, CROP_SIZE_PX, CROP_SIZE_PX))
        large = Cut(side_px=2 * CROP_SIZE_PX).of(image, face)
        assert large.shape == (2 * CROP_SIZE_PX, 2 * CROP_SIZE_PX, 3)
        difference = np.abs(geometry.resized(large, 0.5).astype(int) - image)
        assert difference.mean() < 3

    @pytest.mark.parametrize(("margin", "white_px"), [(0.0, 80), (1.0, 40)])
    def test_with_a_margin_is_a_square_around_the_box(self, margin: float, white_px: int) -> None:
        image = np.zeros((200, 200, 3), np.uint8)
        image[80:120, 90:110] = 255
        cut = Cut(side_px=80, margin=margin).of(image, fakes.detected(BoundingBox(90, 80, 110, 120)))
        assert cut.shape == (80, 80, 3)
        assert (cut[:, 40, 0] > 127).sum() == pytest.approx(white_px, abs=1)
        assert (cut[40, :, 0] > 127).sum() == pytest.approx(white_px / 2, abs=1)

    @given(tilt=st.floats(-180, 180))
    def test_with_a_margin_is_upright_however_the_face_is_tilted(self, tilt: float) -> None:
        image = np.zeros((200, 200, 3), np.uint8)
        image[:100] = 200  # forehead
        turned = geometry.turned(image, -tilt)
        middle = turned.shape[1] / 2, turned.shape[0] / 2
        box = BoundingBox(middle[0] - 20, middle[1] - 20, middle[0] + 20, middle[1] + 20)
        face = dataclasses.replace(fakes.detected(box), tilt_degrees=tilt)
        cut = Cut(side_px=40, margin=0.0).of(turned, face)
        assert cut[4, 20].tolist() == [200] * 3
        assert cut[36, 20].tolist() == [0] * 3
