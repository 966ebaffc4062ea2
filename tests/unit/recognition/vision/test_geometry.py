from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.vision import geometry
from recognition.vision.alignment import ARCFACE_TEMPLATE_XY
from recognition.vision.types import BoundingBox, DetectedFace, Landmarks, Size
from tests import fakes

LEFT = fakes.detected(BoundingBox(0, 0, 10, 10), 0.9)
BESIDE = fakes.detected(BoundingBox(10, 0, 20, 10), 0.8)
ON_LEFT = fakes.detected(BoundingBox(1, 0, 11, 10), 0.7)
HALF_ON_LEFT = fakes.detected(BoundingBox(5, 0, 15, 10), 0.6)  # IoU 1/3 with LEFT


class TestNonMaximumSuppression:
    @pytest.mark.parametrize(
        ("found", "threshold", "kept"),
        [
            ([], 0.3, []),
            ([LEFT], 0.3, [LEFT]),
            ([LEFT, BESIDE], 0.0, [LEFT, BESIDE]),  # touching is not overlapping
            ([ON_LEFT, LEFT], 0.3, [LEFT]),  # the better score stays, whatever the order
            ([LEFT, HALF_ON_LEFT], 1 / 3, [LEFT, HALF_ON_LEFT]),  # exactly the limit: two faces
            ([LEFT, HALF_ON_LEFT], 0.33, [LEFT]),
            ([HALF_ON_LEFT, BESIDE, LEFT], 0.4, [LEFT, BESIDE, HALF_ON_LEFT]),  # best score first
            # What was dropped drops nothing itself: BESIDE overlaps HALF_ON_LEFT, which LEFT took away.
            ([LEFT, HALF_ON_LEFT, BESIDE], 0.3, [LEFT, BESIDE]),
        ],
    )
    def test_keeps_the_best_of_faces_that_overlap(
        self, found: list[DetectedFace], threshold: float, kept: list[DetectedFace]
    ) -> None:
        assert geometry.non_maximum_suppression(found, threshold) == tuple(kept)


class TestResized:
    @pytest.mark.parametrize(
        ("shape", "scale", "expected"),
        [
            ((1, 1), 0.01, (1, 1)),  # never without pixels
            ((2000, 1), 0.1, (200, 1)),
            ((480, 640), 0.5, (240, 320)),
            ((480, 640), 2.0, (960, 1280)),
        ],
    )
    def test_scales_both_sides(self, shape: tuple[int, int], scale: float, expected: tuple[int, int]) -> None:
        assert geometry.resized(np.zeros((*shape, 3), np.uint8), scale).shape == (*expected, 3)

    def test_leaves_an_image_of_the_right_size_alone(self) -> None:
        image = np.zeros((4, 4, 3), np.uint8)
        assert geometry.resized(image, 1.0) is image

    def test_averages_fine_detail_when_it_shrinks(self) -> None:
        stripes = np.zeros((64, 64, 3), np.uint8)
        stripes[:, ::2] = 200
        assert np.unique(geometry.resized(stripes, 0.5)).tolist() == [100]


class TestCropSquare:
    def test_shows_the_middle_of_the_box_in_its_middle(self) -> None:
        image = np.zeros((100, 200, 3), np.uint8)
        image[35:46, 115:126] = 255
        square = geometry.crop_square(image, BoundingBox(110, 30, 131, 51), context=1.0, side_px=21)
        assert square.shape == (21, 21, 3)
        assert square[10, 10].tolist() == [255, 255, 255]
        np.testing.assert_array_equal(square, image[30:51, 110:131])

    def test_takes_the_longer_side_of_the_box_times_the_context(self) -> None:
        image = np.full((100, 100, 3), 9, np.uint8)
        square = geometry.crop_square(image, BoundingBox(45, 40, 55, 60), context=2.0, side_px=40)
        np.testing.assert_array_equal(square, image[30:70, 30:70])

    def test_is_black_where_the_image_ends(self) -> None:
        image = np.full((20, 20, 3), 255, np.uint8)
        square = geometry.crop_square(image, BoundingBox(-10, 0, 10, 20), context=1.0, side_px=20)
        assert square[:, :9].max() == 0
        assert square[:, 11:].min() == 255

    def test_of_a_box_outside_the_image_is_all_black(self) -> None:
        image = np.full((20, 20, 3), 255, np.uint8)
        assert geometry.crop_square(image, BoundingBox(100, 100, 120, 120), context=1.0, side_px=8).max() == 0


class TestMirrored:
    @given(st.floats(-50, 600), st.floats(-50, 400), st.floats(5, 300), st.integers(1, 2000))
    def test_twice_is_the_face_itself(self, x: float, y: float, side: float, width: int) -> None:
        face = fakes.detected(BoundingBox(x, y, x + side, y + side))
        again = geometry.mirrored(geometry.mirrored(face, width), width)
        np.testing.assert_allclose(again.landmarks.points_xy, face.landmarks.points_xy, atol=1e-2)
        assert again.box.iou(face.box) == pytest.approx(1)

    def test_swaps_left_and_right_landmarks_so_that_the_left_eye_stays_left(self) -> None:
        face = fakes.detected(BoundingBox(0, 0, 112, 112))
        there = geometry.mirrored(face, 200)
        assert there.box == BoundingBox(88, 0, 200, 112)
        points = there.landmarks.points_xy
        assert points[0, 0] < points[1, 0]
        assert points[3, 0] < points[4, 0]
        assert points[0, 0] == pytest.approx(199 - face.landmarks.points_xy[1, 0])

    def test_leaves_the_face_that_it_was_given_alone(self) -> None:
        face = fakes.detected()
        before = face.landmarks.points_xy.copy()
        geometry.mirrored(face, 640)
        np.testing.assert_array_equal(face.landmarks.points_xy, before)


def with_nose_at(x: float, y: float) -> Landmarks:
    points = ARCFACE_TEMPLATE_XY.copy()
    points[2] += np.array([x, y], np.float32)
    return Landmarks(points)


class TestHeadPose:
    def test_of_a_frontal_face_is_near_zero(self) -> None:
        assert geometry.head_pose_degrees(with_nose_at(0, 0)) == pytest.approx((0, 0, 0), abs=4)

    @pytest.mark.parametrize(
        ("nose", "axis", "sign"),
        [((8, 0), 0, 1), ((-8, 0), 0, -1), ((0, 8), 1, 1), ((0, -8), 1, -1)],
        ids=["turned right", "turned left", "nodded down", "nodded up"],
    )
    def test_yaw_is_positive_to_the_right_and_pitch_downwards(
        self, nose: tuple[float, float], axis: int, sign: int
    ) -> None:
        pose = geometry.head_pose_degrees(with_nose_at(*nose))
        assert pose[axis] * sign > 10
        assert abs(pose[1 - axis]) < 5

    @pytest.mark.parametrize("degrees", [-60, -10, 10, 60])
    def test_roll_is_positive_clockwise_and_changes_nothing_else(self, degrees: float) -> None:
        angle = np.radians(degrees)
        # y points down, so this turn is clockwise for a positive angle.
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = (ARCFACE_TEMPLATE_XY @ turn.T).astype(np.float32)
        yaw, pitch, roll = geometry.head_pose_degrees(Landmarks(points))
        straight = geometry.head_pose_degrees(with_nose_at(0, 0))
        assert roll == pytest.approx(degrees, abs=0.5)
        assert (yaw, pitch) == pytest.approx(straight[:2], abs=0.1)

    @pytest.mark.parametrize("x", [-500, 500])
    def test_never_leaves_its_range(self, x: float) -> None:
        yaw, pitch, roll = geometry.head_pose_degrees(with_nose_at(x, x))
        assert all(-90 <= angle <= 90 for angle in (yaw, pitch, roll))

    def test_of_landmarks_that_fall_together_is_finite(self) -> None:
        assert np.isfinite(geometry.head_pose_degrees(Landmarks(np.zeros((5, 2), np.float32)))).all()

    def test_mirrored_turns_yaw_and_roll_round(self) -> None:
        face = DetectedFace(fakes.box(), with_nose_at(6, 0), 0.9)
        yaw, pitch, roll = geometry.head_pose_degrees(face.landmarks)
        there = geometry.head_pose_degrees(geometry.mirrored(face, 640).landmarks)
        assert there == pytest.approx((-yaw, pitch, -roll), abs=0.1)


class TestTurned:
    @pytest.mark.parametrize("degrees", [0, 15, 45, 90, 180, 270, 359])
    @pytest.mark.parametrize(("x", "y"), [(0, 0), (118, 3), (60, 78)])
    def test_keeps_every_corner_and_is_undone(self, degrees: float, x: int, y: int) -> None:
        image = np.zeros((80, 120, 3), np.uint8)
        image[y : y + 2, x : x + 2] = 255
        turned = geometry.turned(image, degrees)

        rows, columns = np.nonzero(turned[:, :, 0] > 60)
        size, canvas = Size.of(image), Size.of(turned)
        spot = fakes.detected(BoundingBox(-1, -1, 1, 1)).transformed(
            scale=1.0,
            dx=float(columns.mean()) + (size.width - canvas.width) / 2,
            dy=float(rows.mean()) + (size.height - canvas.height) / 2,
        )
        back = geometry.turned_back(spot, degrees, (size.width / 2, size.height / 2))
        assert back.box.middle_xy == pytest.approx((x + 0.5, y + 0.5), abs=1.0)

    @given(degrees=st.floats(-720, 720), x=st.floats(-500, 500), y=st.floats(-500, 500))
    def test_there_and_back_is_where_it_was(self, degrees: float, x: float, y: float) -> None:
        face = fakes.detected(BoundingBox(100, 100, 180, 210))
        there = geometry.turned_back(face, degrees, (x, y))
        back = geometry.turned_back(there, -degrees, (x, y))
        assert back.box.middle_xy == pytest.approx(face.box.middle_xy, abs=0.01)
        np.testing.assert_allclose(back.landmarks.points_xy, face.landmarks.points_xy, atol=0.01)
        assert there.landmarks.inter_eye_distance == pytest.approx(face.landmarks.inter_eye_distance, rel=1e-3)
        assert there.box.area >= face.box.area * 0.999

    @pytest.mark.parametrize(
        ("degrees", "sides"), [(0, (80, 110)), (90, (110, 80)), (180, (80, 110)), (270, (110, 80)), (45, (96.2, 96.2))]
    )
    def test_boxes_hold_the_ellipse_of_the_face(self, degrees: float, sides: tuple[float, float]) -> None:
        box = geometry.turned_back(fakes.detected(BoundingBox(0, 0, 80, 110)), degrees, (0, 0)).box
        assert (box.width, box.height) == pytest.approx(sides, abs=0.1)

    @pytest.mark.parametrize("tilt", [0, 30, 90, 180, -135])
    def test_a_face_tilted_clockwise_has_that_roll_and_stands_upright_in_a_square(self, tilt: float) -> None:
        face = fakes.detected(BoundingBox(50, 50, 110, 110))
        tilted = geometry.turned_back(face, tilt, face.box.middle_xy)
        assert geometry.head_pose_degrees(tilted.landmarks)[2] == pytest.approx(tilt, abs=1.0)

        image = np.zeros((160, 160, 3), np.uint8)
        left_eye = tilted.landmarks.points_xy[0].round().astype(int)
        cv2.circle(image, left_eye.tolist(), 2, (255, 255, 255), -1)
        square = geometry.crop_square(image, face.box, context=2.0, side_px=120, tilt_degrees=tilt)
        rows, columns = np.nonzero(square[:, :, 0] > 128)
        expected = face.landmarks.points_xy[0] - 20  # the square begins 20 px right of and below the image's corner
        np.testing.assert_allclose((columns.mean(), rows.mean()), expected, atol=1.0)
