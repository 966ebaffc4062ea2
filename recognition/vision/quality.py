"""What can be measured of a face before it is compared, and the quality scores made of it.

The scores have the names, and where it gives them the formulas, of ISO/IEC 29794-5 as its reference
implementation has them (OFIQ 1.0, BSI, https://github.com/BSI-OFIQ/OFIQ-Project, MIT; no code of it is
here). Where ours differ, because five landmarks and a crop of 112 pixels are all there is, the function
says how. They are not OFIQ's numbers, and not to be compared with them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision import geometry
from recognition.vision.alignment import ARCFACE_TEMPLATE_XY, CROP_SIZE_PX
from recognition.vision.types import DetectedFace, Quality, QualityScores, Size

FACE_ELLIPSE = ((56.0, 68.0), (74.0, 96.0), 0.0)
"""Centre, both diameters and angle of the face in the aligned crop: from the brows to the chin, without hair.

It stands for the hull of OFIQ's 98 landmarks.
"""

CHIN_TO_MOUTH_RATIO = 1.75
"""Distance from the eyes to the chin over that to the mouth: OFIQ measures the chin, which we do not find.

Source: mean proportions of adults (Farkas, "Anthropometry of the head and face", 1994), rounded.
"""

ZONE_RATIO = 0.3
"""Side of a cheek zone over the distance of the eyes, as in OFIQ."""

ZONE_BINS = 32
"""Grey levels that a cheek zone is counted in: its 100 pixels would leave most of OFIQ's 256 empty."""

HALF_SHARPNESS = 60.0
"""Variance of the Laplacian that scores 50: three times the least that the default gates ask for."""


def measure(face: DetectedFace, crop_bgr: NDArray[np.uint8], image_size: Size) -> Quality:
    """Measures one face, without the scores, which cost four times as much.

    Args:
        face: as found in the image.
        crop_bgr: (112, 112, 3) uint8, the same face aligned; sharpness is measured here so that
            one scale holds for near and far faces.
        image_size: size of the image that the face was found in.
    """
    grey = cv2.cvtColor(crop_bgr, cv2.COLOR_BGR2GRAY)
    yaw, pitch, roll = geometry.head_pose_degrees(face.landmarks)
    return Quality(
        face_size_px=face.box.shorter_side,
        inter_eye_distance_px=face.landmarks.inter_eye_distance,
        detection_score=face.score,
        # Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
        # 16 bits hold every value that the 3 x 3 kernel makes of 8.
        sharpness=float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1][0, 0] ** 2),
        luminance_mean=float(grey.mean()) / 255.0,
        yaw_degrees=yaw,
        pitch_degrees=pitch,
        roll_degrees=roll,
        visible_fraction=face.box.visible_fraction(image_size),
    )


def assess(face: DetectedFace, crop_bgr: NDArray[np.uint8], image_size: Size) -> Quality:
    """Measures one face and scores it; for arguments see `measure`."""
    measured = measure(face, crop_bgr, image_size)
    light = _luminance(crop_bgr)
    shares = np.bincount(light[_FACE], minlength=256) / _FACE_PIXELS
    mean = float(shares @ _LEVELS)
    # OFIQ divides by the cosine: a turned head shows its eyes closer together than they are.
    eyes_px = measured.inter_eye_distance_px / max(math.cos(math.radians(measured.yaw_degrees)), 0.1)
    parts = {
        "sharpness": sharpness(measured.sharpness),
        "illumination_uniformity": _illumination_uniformity(light),
        "luminance_mean": luminance_mean(mean),
        "luminance_variance": luminance_variance(float(shares @ (_LEVELS - mean) ** 2)),
        "under_exposure_prevention": under_exposure_prevention(float(shares[:26].sum())),
        "over_exposure_prevention": over_exposure_prevention(float(shares[247:].sum())),
        "dynamic_range": dynamic_range(shares),
        "head_pose_yaw": head_pose(measured.yaw_degrees),
        "head_pose_pitch": head_pose(measured.pitch_degrees),
        "head_pose_roll": head_pose(measured.roll_degrees),
        "inter_eye_distance": inter_eye_distance(eyes_px),
        **_composition(face, image_size),
    }
    return dataclasses.replace(measured, scores=QualityScores(unified_quality_score=unified(parts), **parts))


UNIFIED_PARTS = ("head_pose_yaw", "head_pose_pitch", "sharpness", "luminance_mean")
"""The components of the unified score.

Chosen on LFW View 1 by the error-versus-discard curve of `faceweb evaluate quality`, with its people in two
halves: each of these lowered the missed matches or left them, and both halves agreed. The distance of the eyes
is left out because it made the curve worse; that a face has too few pixels shows in the sharpness of its
aligned crop. Roll is left out because alignment takes it back. docs/howto/enrol.md has the numbers.
"""


def unified(parts: Mapping[str, int]) -> int:
    """UnifiedQualityScore: the geometric mean of `UNIFIED_PARTS`, so that one bad component is enough.

    OFIQ's is the output of a network (MagFace), which is no part of ours.

    Args:
        parts: components by the names of their fields.
    """
    return _whole(math.prod(parts[name] for name in UNIFIED_PARTS) ** (1.0 / len(UNIFIED_PARTS)))


def sharpness(laplacian_variance: float) -> int:
    """Sharpness of the variance of the Laplacian of the aligned crop, 0 and up.

    OFIQ uses a trained forest over filters; this is a curve of our own that rises with the logarithm.
    """
    return _whole(100.0 * laplacian_variance / (laplacian_variance + HALF_SHARPNESS))


def luminance_mean(mean: float) -> int:
    """LuminanceMean of the mean linear luminance of the face, 0..1; OFIQ's formula."""
    return _whole(100.0 * _sigmoid(mean, 0.2, 0.05) * (1.0 - _sigmoid(mean, 0.8, 0.05)))


def luminance_variance(variance: float) -> int:
    """LuminanceVariance of the variance of the linear luminance of the face, 0..0.25; OFIQ's formula."""
    return _whole(100.0 * math.sin(60.0 * variance / (60.0 * variance + 1.0) * math.pi))


def under_exposure_prevention(dark_share: float) -> int:
    """UnderExposurePrevention of the share of the face at 25 of 255 and below, 0..1; OFIQ's formula."""
    return _whole(120.0 * (0.832 - _sigmoid(dark_share, 0.92, 0.05)))


def over_exposure_prevention(bright_share: float) -> int:
    """OverExposurePrevention of the share of the face at 247 of 255 and above, 0..1; OFIQ's formula."""
    return _whole(1.0 / (bright_share + 0.01))


def dynamic_range(shares: NDArray[np.float64]) -> int:
    """DynamicRange of the histogram of the face's linear luminance; OFIQ's formula.

    Args:
        shares: (256,) float64 that add up to 1.
    """
    present = shares[shares > 0]
    return _whole(12.5 * float(-(present * np.log2(present)).sum()))


def head_pose(degrees: float) -> int:
    """HeadPoseYaw, -Pitch or -Roll of that angle, -180..180; OFIQ's formula."""
    return _whole(100.0 * max(math.cos(math.radians(degrees)), 0.0) ** 2)


def inter_eye_distance(pixels: float) -> int:
    """InterEyeDistance of the distance of the eyes, corrected for yaw; OFIQ's formula."""
    return _whole(100.0 * _sigmoid(pixels, 70.0, 20.0))


def head_size(ratio: float) -> int:
    """HeadSize of the distance from eyes to chin over the height of the image; OFIQ's formula, best at 0.45."""
    return _whole(200.0 * (1.0 - _sigmoid(abs(ratio - 0.45), 0.0, 0.05)))


def margin(ratio: float, half: float) -> int:
    """A crop or margin score of a distance to the edge of the image over a distance in the face; OFIQ's formula.

    Args:
        ratio: of the two distances.
        half: the ratio that scores 50.
    """
    return _whole(100.0 * _sigmoid(ratio, half, 0.1))


def _composition(face: DetectedFace, image_size: Size) -> dict[str, int]:
    """Where the face lies in its image."""
    (left_x, left_y), (right_x, right_y), _, *mouth = face.landmarks.points_xy.tolist()
    eyes_x, eyes_y = (left_x + right_x) / 2, (left_y + right_y) / 2
    mouth_x, mouth_y = (mouth[0][0] + mouth[1][0]) / 2, (mouth[0][1] + mouth[1][1]) / 2
    apart = max(face.landmarks.inter_eye_distance, 1e-6)
    to_chin = max(math.hypot(mouth_x - eyes_x, mouth_y - eyes_y) * CHIN_TO_MOUTH_RATIO, 1e-6)
    return {
        "head_size": head_size(to_chin / image_size.height),
        "leftward_crop_of_the_face_image": margin(left_x / apart, 0.9),
        "rightward_crop_of_the_face_image": margin((image_size.width - right_x) / apart, 0.9),
        "margin_above_of_the_face_image": margin(eyes_y / to_chin, 1.4),
        "margin_below_of_the_face_image": margin((image_size.height - eyes_y) / to_chin, 1.8),
    }


def _illumination_uniformity(light: NDArray[np.uint8]) -> int:
    """IlluminationUniformity: how much the histograms of both cheeks overlap; OFIQ's formula, with fewer bins."""
    left, right = (np.bincount(light[zone].ravel() // (256 // ZONE_BINS), minlength=ZONE_BINS) for zone in _CHEEKS)
    overlap = float(np.minimum(left, right).sum() / left.sum())
    return _whole(100.0 * overlap**0.3)


def _luminance(crop_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Linear luminance, 0..255: sRGB without its gamma, weighted as Rec. 709 has it, as in OFIQ."""
    return np.asarray(np.rint(_LINEAR[crop_bgr] @ _REC_709_BGR), np.uint8)


def _sigmoid(value: float, middle: float, width: float) -> float:
    # exp() of more than 700 overflows; there the sigmoid is 0 to the last digit.
    return 1.0 / (1.0 + math.exp(min((middle - value) / width, 700.0)))


def _whole(score: float) -> int:
    return round(min(max(score, 0.0), 100.0))


def _linear_levels() -> NDArray[np.float32]:
    """The sRGB transfer function of IEC 61966-2-1 for each level, 0..255."""
    level = np.arange(256) / 255.0
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return (linear * 255.0).astype(np.float32)


def _face_mask() -> NDArray[np.bool_]:
    mask = np.zeros((CROP_SIZE_PX, CROP_SIZE_PX), np.uint8)
    cv2.ellipse(mask, FACE_ELLIPSE, 1, thickness=-1)
    return mask.astype(np.bool_)


def _cheeks() -> tuple[tuple[slice, slice], ...]:
    """A square at the height between eyes and mouth, outwards of each eye, as OFIQ places them."""
    left_eye, right_eye, _, left_mouth, right_mouth = ARCFACE_TEMPLATE_XY.tolist()
    side = int((right_eye[0] - left_eye[0]) * ZONE_RATIO)
    top = round((left_eye[1] + right_eye[1] + left_mouth[1] + right_mouth[1]) / 4)
    rows = slice(top, top + side)
    left, right = round(left_eye[0]), round(right_eye[0])
    return (rows, slice(left - side, left)), (rows, slice(right, right + side))


_LINEAR = _linear_levels()
_REC_709_BGR = np.array([0.0722, 0.7152, 0.2126], np.float32)
_LEVELS = np.arange(256) / 255.0
_FACE = _face_mask()
_FACE_PIXELS = int(_FACE.sum())
_CHEEKS = _cheeks()
