from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.vision import types
from recognition.vision.errors import InvalidArray, PackMismatch
from recognition.vision.types import BoundingBox, DetectedFace, Embedding, Landmarks, Quality, Size
from tests import fakes

coordinates = st.floats(-1e4, 1e4)
sides = st.floats(1, 1e4)


def boxes() -> st.SearchStrategy[BoundingBox]:
    return st.builds(lambda x, y, w, h: BoundingBox(x, y, x + w, y + h), coordinates, coordinates, sides, sides)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(0, np.float32), r"numbers: expected \(any, 3\) float32, got \(0,\) float32"),
        (np.zeros((2, 4), np.float32), r"numbers: expected \(any, 3\) float32, got \(2, 4\) float32"),
        (np.zeros((2, 3)), r"numbers: expected \(any, 3\) float32, got \(2, 3\) float64"),
        (np.zeros((1, 2, 3), np.float32), r"got \(1, 2, 3\) float32"),
    ],
)
def test_an_array_that_breaks_its_contract_is_refused_with_expected_and_actual(array: Any, message: str) -> None:
    with pytest.raises(InvalidArray, match=message):
        types.require_array("numbers", array, shape=(None, 3), dtype=np.float32)


def test_an_array_that_keeps_its_contract_is_taken() -> None:
    types.require_array("numbers", np.zeros((0, 3), np.float32), shape=(None, 3), dtype=np.float32)


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3), (5, 5), (5, 5, 4)])
def test_an_image_without_pixels_or_with_other_channels_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidArray, match="image_bgr"):
        types.require_image(np.zeros(shape, np.uint8))


def test_size_is_width_before_height() -> None:
    assert Size.of(np.zeros((480, 640, 3), np.uint8)) == Size(width=640, height=480)


class TestBoundingBox:
    @pytest.mark.parametrize(
        "corners",
        [
            (5, 5, 5, 9),  # no width
            (5, 5, 9, 5),  # no height
            (9, 5, 5, 9),  # right before left
            (math.nan, 5, 9, 9),
            (5, 5, math.inf, 9),
        ],
    )
    def test_refuses_what_has_no_area(self, corners: tuple[float, float, float, float]) -> None:
        with pytest.raises(InvalidArray, match="BoundingBox: expected"):
            BoundingBox(*corners)

    def test_measures_itself(self) -> None:
        box = BoundingBox(10, 20, 40, 60)
        assert (box.width, box.height, box.area, box.shorter_side) == (30, 40, 1200, 30)

    @pytest.mark.parametrize(
        ("other", "iou"),
        [
            (BoundingBox(20, 0, 30, 10), 0.0),  # apart
            (BoundingBox(10, 0, 20, 10), 0.0),  # edges touch
            (BoundingBox(10, 10, 20, 20), 0.0),  # corners touch
            (BoundingBox(5, 0, 15, 10), 1 / 3),  # half of each
            (BoundingBox(2, 2, 7, 7), 0.25),  # inside
            (BoundingBox(0, 0, 10, 10), 1.0),
        ],
    )
    def test_overlap_is_intersection_over_union(self, other: BoundingBox, iou: float) -> None:
        assert BoundingBox(0, 0, 10, 10).iou(other) == pytest.approx(iou)

    @given(boxes(), boxes())
    def test_overlap_is_symmetric_and_a_share(self, one: BoundingBox, other: BoundingBox) -> None:
        assert one.iou(other) == pytest.approx(other.iou(one))
        assert 0.0 <= one.iou(other) <= 1.0 + 1e-9

    @pytest.mark.parametrize(
        ("box", "clipped", "visible"),
        [
            (BoundingBox(-5, 2, 5, 8), BoundingBox(0, 2, 5, 8), 0.5),  # left
            (BoundingBox(2, -5, 8, 5), BoundingBox(2, 0, 8, 5), 0.5),  # top
            (BoundingBox(5, 2, 15, 8), BoundingBox(5, 2, 10, 8), 0.5),  # right
            (BoundingBox(2, 5, 8, 15), BoundingBox(2, 5, 8, 10), 0.5),  # bottom
            (BoundingBox(-10, -10, 20, 20), BoundingBox(0, 0, 10, 10), 1 / 9),  # all four
            (BoundingBox(1, 2, 3, 4), BoundingBox(1, 2, 3, 4), 1.0),  # none
        ],
    )
    def test_is_clipped_at_each_edge_of_the_frame(self, box: BoundingBox, clipped: BoundingBox, visible: float) -> None:
        assert box.clipped_to(Size(10, 10)) == clipped
        assert box.visible_fraction(Size(10, 10)) == pytest.approx(visible)

    @pytest.mark.parametrize("box", [BoundingBox(-5, 2, 0, 8), BoundingBox(10, 0, 12, 5), BoundingBox(20, 20, 30, 30)])
    def test_has_no_part_in_a_frame_that_it_is_outside_of(self, box: BoundingBox) -> None:
        assert box.visible_fraction(Size(10, 10)) == 0.0
        with pytest.raises(InvalidArray):
            box.clipped_to(Size(10, 10))

    def test_grows_around_its_centre(self) -> None:
        assert BoundingBox(10, 20, 20, 40).grown(2) == BoundingBox(5, 10, 25, 50)

    def test_is_scaled_before_it_is_moved(self) -> None:
        assert BoundingBox(1, 2, 3, 4).transformed(scale=10, dx=5, dy=-5) == BoundingBox(15, 15, 35, 35)


class TestLandmarks:
    @pytest.mark.parametrize(
        "points",
        [np.zeros((0, 2), np.float32), np.zeros((4, 2), np.float32), np.zeros((5, 2)), np.full((5, 2), np.nan, "f4")],
    )
    def test_refuse_anything_but_five_finite_points(self, points: Any) -> None:
        with pytest.raises(InvalidArray, match="points_xy: expected"):
            Landmarks(points)

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(ValueError, match="read-only"):
            fakes.detected().landmarks.points_xy[0] = 0

    def test_know_the_distance_of_the_eyes(self) -> None:
        points = np.array([[10, 10], [13, 14], [0, 0], [0, 0], [0, 0]], np.float32)
        assert Landmarks(points).inter_eye_distance == pytest.approx(5)


@pytest.mark.parametrize("score", [-0.01, 1.01, math.nan])
def test_a_detection_score_outside_0_to_1_is_refused(score: float) -> None:
    with pytest.raises(InvalidArray, match="score"):
        DetectedFace(fakes.box(), fakes.detected().landmarks, score)


def test_a_moved_face_moves_box_and_landmarks_together() -> None:
    face = fakes.detected(BoundingBox(0, 0, 100, 100))
    moved = face.transformed(scale=2, dx=10, dy=20)
    expected = fakes.detected(BoundingBox(10, 20, 210, 220))
    assert moved.box == expected.box
    np.testing.assert_allclose(moved.landmarks.points_xy, expected.landmarks.points_xy, rtol=1e-5)


class TestEmbedding:
    @pytest.mark.parametrize(
        ("vector", "message"),
        [
            (np.zeros(0, np.float32), "expected length 1, got 0.0000"),
            (np.zeros(3, np.float32), "expected length 1, got 0.0000"),
            (np.array([1, 1], np.float32), "expected length 1, got 1.4142"),
            (np.array([np.nan, 1], np.float32), "expected length 1, got nan"),
            (np.array([1.0]), r"expected \(any\) float32, got \(1,\) float64"),
            (np.ones((1, 1), np.float32), r"expected \(any\) float32, got \(1, 1\) float32"),
        ],
    )
    def test_refuses_what_is_no_unit_vector(self, vector: Any, message: str) -> None:
        with pytest.raises(InvalidArray, match=message):
            Embedding(vector, "pack")

    @pytest.mark.parametrize(
        "raw", [np.zeros(0), np.zeros(4), np.ones((1, 4)), np.array([np.nan, 1]), np.array([np.inf, 1])]
    )
    def test_is_not_made_of_a_network_output_without_direction(self, raw: Any) -> None:
        with pytest.raises(InvalidArray, match="finite length above 0"):
            Embedding.from_raw(raw, "pack")

    @given(st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=20).filter(lambda raw: max(map(abs, raw)) > 1))
    def test_made_of_any_other_output_has_length_1_and_is_most_like_itself(self, raw: list[float]) -> None:
        embedding = Embedding.from_raw(np.array(raw), "pack")
        assert float(np.linalg.norm(embedding.vector)) == pytest.approx(1, abs=1e-5)
        assert embedding.similarity(embedding) == pytest.approx(1, abs=1e-5)
        assert embedding.dimension == len(raw)

    def test_does_not_change_with_the_array_that_it_was_made_of(self) -> None:
        raw = np.array([3, 4], np.float32)
        embedding = Embedding.from_raw(raw, "pack")
        raw[:] = 0
        np.testing.assert_allclose(embedding.vector, [0.6, 0.8], rtol=1e-6)
        with pytest.raises(ValueError, match="read-only"):
            embedding.vector[0] = 1

    def test_has_similarity_minus_1_to_its_opposite(self) -> None:
        one, other = Embedding.from_raw(np.array([1, 0]), "pack"), Embedding.from_raw(np.array([-1, 0]), "pack")
        assert one.similarity(other) == -1.0

    def test_is_never_compared_across_packs(self) -> None:
        with pytest.raises(PackMismatch, match="different model packs"):
            fakes.probe("a" * 64).similarity(fakes.probe("b" * 64))


class TestQuality:
    @pytest.mark.parametrize(
        ("changes", "score"),
        [
            ({"face_size_px": 0}, 0.0),
            ({"sharpness": 0}, 0.0),
            ({"yaw_degrees": 90}, 0.0),
            ({"yaw_degrees": -90, "pitch_degrees": 90}, 0.0),
            ({"face_size_px": 56}, 0.5),
            ({"sharpness": 100}, 0.5),
            ({"yaw_degrees": -60}, 0.5),
            ({}, 1.0),
            ({"face_size_px": 1000, "sharpness": 9999}, 1.0),  # more does not help
        ],
    )
    def test_score_is_the_product_of_size_sharpness_and_frontality(
        self, changes: dict[str, float], score: float
    ) -> None:
        assert fakes.quality(**changes).score == pytest.approx(score, abs=1e-9)

    def test_comes_back_from_json(self) -> None:
        quality = fakes.quality(sharpness=123.4567)
        stored = quality.as_json()
        assert stored["sharpness"] == 123.457
        assert "scores" not in stored
        assert Quality.from_json(stored).as_json() == stored

    def test_comes_back_from_json_with_its_scores_by_the_names_of_ofiq(self) -> None:
        quality = fakes.quality(scores=fakes.scores(head_pose_yaw=7))
        stored = quality.as_json()
        assert (stored["scores"]["HeadPoseYaw"], stored["scores"]["UnifiedQualityScore"]) == (7, 80)
        assert Quality.from_json(stored) == quality

    def test_votes_keep_the_measurements_alone(self) -> None:
        assert fakes.quality(scores=fakes.scores()).measurements_json() == fakes.quality().as_json()

    @pytest.mark.parametrize("score", [-1, 101])
    def test_a_score_outside_its_range_is_refused(self, score: int) -> None:
        with pytest.raises(InvalidArray, match=f"sharpness: expected 0..100, got {score}"):
            fakes.scores(sharpness=score)
