from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.vision import alignment, quality
from recognition.vision.types import BoundingBox, DetectedFace, Landmarks, QualityScores, Size
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


def scores(image: np.ndarray, face: DetectedFace | None = None, size: Size = FRAME) -> QualityScores:
    scored = quality.assess(face or fakes.detected(), image, size).scores
    assert scored is not None
    return scored


def portrait() -> np.ndarray:
    """The astronaut's face, aligned."""
    image = faces.astronaut()
    (face,) = faces.default_pipeline().find(image)
    return alignment.align(image, face.landmarks)


def darker(image: np.ndarray, share: float) -> np.ndarray:
    return np.asarray(image * (1 - share), np.uint8)


def brighter(image: np.ndarray, share: float) -> np.ndarray:
    return np.asarray(image + (255 - image) * share, np.uint8)


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def flatter(image: np.ndarray, share: float) -> np.ndarray:
    return np.asarray(128 + (image - 128.0) * (1 - share), np.uint8)


def half_lit(image: np.ndarray, share: float) -> np.ndarray:
    lit = image.copy()
    lit[:, 56:] = darker(lit[:, 56:], share)
    return lit


WORSE: list[tuple[str, Callable[[np.ndarray, float], np.ndarray], Sequence[float]]] = [
    ("luminance_mean", darker, (0.3, 0.6, 0.9)),
    ("under_exposure_prevention", darker, (0.6, 0.75, 0.95)),
    ("dynamic_range", darker, (0.3, 0.6, 0.9)),
    ("over_exposure_prevention", brighter, (0.85, 0.92, 1.0)),
    ("luminance_mean", brighter, (0.75, 0.85, 1.0)),
    ("sharpness", blurred, (0.8, 1.5, 3.0)),
    ("unified_quality_score", blurred, (0.8, 1.5, 3.0)),
    ("dynamic_range", flatter, (0.3, 0.6, 0.9)),
    ("luminance_variance", flatter, (0.6, 0.8, 1.0)),
    ("illumination_uniformity", half_lit, (0.3, 0.5, 0.8)),
]


@pytest.mark.parametrize(("name", "make_worse", "amounts"), WORSE)
def test_what_spoils_a_picture_lowers_its_component_step_by_step(
    name: str, make_worse: Callable[[np.ndarray, float], np.ndarray], amounts: Sequence[float]
) -> None:
    image = portrait()
    falling = [getattr(scores(image), name), *(getattr(scores(make_worse(image, amount)), name) for amount in amounts)]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] < falling[0] - 20


def turned(degrees: float) -> DetectedFace:
    """A face whose head is tilted about the middle of its box."""
    face = fakes.detected()
    middle = np.array([(face.box.x_min + face.box.x_max) / 2, (face.box.y_min + face.box.y_max) / 2])
    angle = math.radians(degrees)
    matrix = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    points = (face.landmarks.points_xy - middle) @ matrix + middle
    return dataclasses.replace(face, landmarks=Landmarks(points.astype(np.float32)))


def looking_aside(pixels: float) -> DetectedFace:
    """A face whose nose lies so far from the middle."""
    face = fakes.detected()
    points = face.landmarks.points_xy.copy()
    points[2, 0] += pixels
    return dataclasses.replace(face, landmarks=Landmarks(points))


def looking_down(pixels: float) -> DetectedFace:
    face = fakes.detected()
    points = face.landmarks.points_xy.copy()
    points[2, 1] += pixels
    return dataclasses.replace(face, landmarks=Landmarks(points))


@pytest.mark.parametrize(
    ("name", "face_at", "amounts"),
    [
        ("head_pose_roll", turned, (0.0, 10.0, 30.0, 60.0)),
        ("head_pose_yaw", looking_aside, (0.0, 4.0, 9.0, 14.0)),
        ("head_pose_pitch", looking_down, (0.0, 8.0, 16.0, 24.0)),
        ("unified_quality_score", looking_aside, (0.0, 4.0, 9.0, 14.0)),
    ],
)
def test_a_head_that_turns_away_loses_its_pose_step_by_step(
    name: str, face_at: Callable[[float], DetectedFace], amounts: Sequence[float]
) -> None:
    falling = [getattr(scores(portrait(), face_at(amount)), name) for amount in amounts]
    assert falling == sorted(set(falling), reverse=True)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("leftward_crop_of_the_face_image", [fakes.box(x=x) for x in (100, 0, -10, -40)]),
        ("rightward_crop_of_the_face_image", [fakes.box(x=x) for x in (400, 530, 538, 560)]),
        ("margin_above_of_the_face_image", [fakes.box(y=y) for y in (100, 50, 40, 20)]),
        ("margin_below_of_the_face_image", [fakes.box(y=y) for y in (100, 300, 310, 330)]),
        ("inter_eye_distance", [fakes.box(side=side) for side in (400, 300, 200, 100)]),
    ],
)
def test_a_face_at_the_edge_or_far_away_loses_the_component_that_says_so(name: str, where: list[BoundingBox]) -> None:
    falling = [getattr(scores(portrait(), fakes.detected(box)), name) for box in where]
    assert falling == sorted(set(falling), reverse=True)


def test_a_head_is_best_at_forty_five_percent_of_the_height_of_its_image() -> None:
    assert [quality.head_size(ratio) for ratio in (0.0, 0.35, 0.45, 0.55, 1.0)] == [0, 24, 100, 24, 0]


# Worked by hand from the formulas of OFIQ's sources.
@pytest.mark.parametrize(
    ("score", "measured", "expected"),
    [
        (quality.luminance_mean, 0.0, 2),
        (quality.luminance_mean, 0.2, 50),
        (quality.luminance_mean, 0.5, 100),
        (quality.luminance_mean, 0.8, 50),
        (quality.luminance_variance, 0.0, 0),
        (quality.luminance_variance, 1 / 60, 100),
        (quality.under_exposure_prevention, 0.0, 100),
        (quality.under_exposure_prevention, 0.92, 40),
        (quality.under_exposure_prevention, 1.0, 0),
        (quality.over_exposure_prevention, 0.0, 100),
        (quality.over_exposure_prevention, 0.09, 10),
        (quality.over_exposure_prevention, 1.0, 1),
        (quality.head_pose, 0.0, 100),
        (quality.head_pose, -45.0, 50),
        (quality.head_pose, 90.0, 0),
        (quality.head_pose, 170.0, 0),
        (quality.inter_eye_distance, 70.0, 50),
        (quality.inter_eye_distance, 1e6, 100),
        (quality.sharpness, 0.0, 0),
        (quality.sharpness, quality.HALF_SHARPNESS, 50),
    ],
)
def test_a_formula_gives_what_its_source_says(score: Callable[[float], int], measured: float, expected: int) -> None:
    assert score(measured) == expected


def test_a_full_histogram_has_the_whole_dynamic_range_and_one_level_has_none() -> None:
    one_level = np.zeros(256)
    one_level[7] = 1.0
    assert quality.dynamic_range(np.full(256, 1 / 256)) == 100
    assert quality.dynamic_range(one_level) == 0


@given(
    st.integers(0, 2**32 - 1),
    st.floats(-500, 1000),
    st.floats(-500, 1000),
    st.floats(1, 3000),
    st.floats(-180, 180),
)
def test_every_score_of_every_face_is_a_whole_number_up_to_a_hundred(
    seed: int, x: float, y: float, side: float, degrees: float
) -> None:
    noise = np.random.default_rng(seed)
    image = noise.integers(0, noise.integers(1, 257), (112, 112, 3), np.uint8)
    face = fakes.detected(BoundingBox(x, y, x + side, y + side))
    face = dataclasses.replace(face, landmarks=turned(degrees).landmarks)
    values = dataclasses.asdict(scores(image, face))
    assert all(isinstance(value, int) and 0 <= value <= 100 for value in values.values())


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_one_colour_has_scores_too(level: int) -> None:
    scored = scores(crop(level))
    assert (scored.sharpness, scored.dynamic_range, scored.illumination_uniformity) == (0, 0, 100)


def test_a_face_whose_landmarks_fall_together_has_scores_too() -> None:
    face = dataclasses.replace(fakes.detected(), landmarks=Landmarks(np.zeros((5, 2), np.float32)))
    assert scores(portrait(), face).inter_eye_distance == 3


def test_scoring_changes_no_measurement() -> None:
    face, image = fakes.detected(), portrait()
    assert dataclasses.replace(quality.assess(face, image, FRAME), scores=None) == quality.measure(face, image, FRAME)


def test_a_face_is_scored_where_it_is_embedded_and_not_where_it_is_only_measured() -> None:
    pipeline, image = faces.default_pipeline(), faces.astronaut()
    found = pipeline.find(image)
    assert pipeline.measure(image, found[0]).scores is None
    assert pipeline.embed(image, found)[0].quality.scores is not None


def test_one_bad_part_is_enough_for_a_low_unified_score() -> None:
    good = dict.fromkeys(quality.UNIFIED_PARTS, 100)
    assert quality.unified(good) == 100
    for name in quality.UNIFIED_PARTS:
        assert quality.unified({**good, name: 16}) == 63
        assert quality.unified({**good, name: 0}) == 0
