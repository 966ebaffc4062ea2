"""Boxes, canvases and head pose: geometry that several modules share."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision.types import BoundingBox, DetectedFace, ImageBgr, Landmarks, Size

YAW_FULL_TURN_RATIO = 1.0
"""Nose offset over half the eye distance at which the five-point yaw estimate reaches 90 degrees."""

PITCH_NEUTRAL_RATIO = 0.52
"""Height of the nose tip between eye line (0) and mouth line (1) of a face seen from the front.

Source: ARCFACE_TEMPLATE_XY, (71.74 - 51.60) / (92.28 - 51.60) = 0.495, corrected by the median
of frontal LFW faces with the same landmarks.
"""

PITCH_DEGREES_PER_RATIO = 90.0


def non_maximum_suppression(faces: list[DetectedFace], iou_threshold: float) -> tuple[DetectedFace, ...]:
    """Keeps the best-scored of faces that overlap.

    Args:
        faces: in any order.
        iou_threshold: 0..1; two boxes with a higher IoU are one face.

    Returns:
        The faces kept, best score first.
    """
    kept: list[DetectedFace] = []
    for face in sorted(faces, key=lambda face: face.score, reverse=True):
        if all(face.box.iou(other.box) <= iou_threshold for other in kept):
            kept.append(face)
    return tuple(kept)


def resized(image_bgr: ImageBgr, scale: float) -> ImageBgr:
    """The image with both sides `scale` times as long, at least one pixel each.

    Shrinking averages over the pixels that fall together, so that fine detail does not alias.
    """
    if scale == 1.0:
        return image_bgr
    size = Size.of(image_bgr)
    return stretched(image_bgr, Size(max(round(size.width * scale), 1), max(round(size.height * scale), 1)))


def stretched(image_bgr: ImageBgr, size: Size) -> ImageBgr:
    """The image in another size, whatever becomes of its proportions."""
    own = Size.of(image_bgr)
    if own == size:
        return image_bgr
    interpolation = cv2.INTER_AREA if size.width < own.width else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image_bgr, (size.width, size.height), interpolation=interpolation), dtype=np.uint8)


def crop_square(
    image_bgr: ImageBgr, box: BoundingBox, *, context: float, side_px: int, tilt_degrees: float = 0.0
) -> ImageBgr:
    """Cuts a square around a box and scales it, with black where the image ends.

    Args:
        image_bgr: (height, width, 3) uint8.
        box: what stands in the middle.
        context: side of the square over the longer side of the box.
        side_px: side of the result.
        tilt_degrees: what is tilted clockwise by so much stands upright in the square.

    Returns:
        (side_px, side_px, 3) uint8 in the channel order of the input.
    """
    scale = side_px / (max(box.width, box.height) * context)
    matrix = _turn(tilt_degrees, scale, box.middle_xy, (side_px / 2, side_px / 2))
    square = cv2.warpAffine(image_bgr, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR)
    return np.asarray(square, dtype=np.uint8)


def turned(image_bgr: ImageBgr, degrees: float) -> ImageBgr:
    """The image turned counter-clockwise about its middle, on a black canvas that holds all of it."""
    size = Size.of(image_bgr)
    cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    width = round(size.width * cosine + size.height * sine)
    height = round(size.width * sine + size.height * cosine)
    matrix = _turn(degrees, 1.0, (size.width / 2, size.height / 2), (width / 2, height / 2))
    return np.asarray(cv2.warpAffine(image_bgr, matrix, (width, height), flags=cv2.INTER_LINEAR), dtype=np.uint8)


def _turn(
    degrees: float, scale: float, from_xy: tuple[float, float], to_xy: tuple[float, float]
) -> NDArray[np.float64]:
    """The (2, 3) matrix that turns counter-clockwise and scales about one point, and moves that point to another."""
    along, across = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    (x, y), (to_x, to_y) = from_xy, to_xy
    return np.array([[along, across, to_x - along * x - across * y], [-across, along, to_y + across * x - along * y]])


def turned_back(face: DetectedFace, degrees: float, about_xy: tuple[float, float]) -> DetectedFace:
    """The face as it lay before its image was turned counter-clockwise about a point.

    Its new box is that of the ellipse in the old one: a face fills no corners, and a box around the corners would
    take it for larger than it is.
    """
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    forth = np.array([[cosine, sine], [-sine, cosine]])
    about = np.array(about_xy)
    points = (face.landmarks.points_xy - about) @ forth + about
    x, y = (np.array(face.box.middle_xy) - about) @ forth + about
    half_width = math.hypot(face.box.width * cosine, face.box.height * sine) / 2
    half_height = math.hypot(face.box.width * sine, face.box.height * cosine) / 2
    return DetectedFace(
        BoundingBox(float(x) - half_width, float(y) - half_height, float(x) + half_width, float(y) + half_height),
        Landmarks(points.astype(np.float32)),
        face.score,
    )


def mirrored(face: DetectedFace, width_px: int) -> DetectedFace:
    """The face as it lies in the mirror image, with left and right landmarks swapped."""
    box, points = face.box, face.landmarks.points_xy[[1, 0, 2, 4, 3]]
    points[:, 0] = width_px - 1 - points[:, 0]
    return DetectedFace(
        # A box ends at the far edge of its last pixel, a point lies in the middle of one.
        BoundingBox(width_px - box.x_max, box.y_min, width_px - box.x_min, box.y_max),
        Landmarks(points),
        face.score,
    )


def head_pose_degrees(landmarks: Landmarks) -> tuple[float, float, float]:
    """Estimates yaw, pitch and roll from five points, good to about ten degrees.

    Returns:
        Yaw (positive: the face turns to the image's right) and pitch (positive: down), each -90..90, and roll
        (positive: clockwise), -180..180.
    """
    # Plain numbers: an operation of numpy on two of them takes longer than all of this.
    (left_x, left_y), (right_x, right_y), (nose_x, nose_y), *mouth = landmarks.points_xy.tolist()
    eyes_x, eyes_y = (left_x + right_x) / 2, (left_y + right_y) / 2
    across_x, across_y = right_x - left_x, right_y - left_y
    distance = max(math.hypot(across_x, across_y), 1e-6)
    roll = math.degrees(math.atan2(across_y, across_x))
    down_x, down_y = (mouth[0][0] + mouth[1][0]) / 2 - eyes_x, (mouth[0][1] + mouth[1][1]) / 2 - eyes_y
    face_height = max(math.hypot(down_x, down_y), 1e-6)
    # The point of the eye-mouth line at the nose's height is where a frontal nose would be.
    along = ((nose_x - eyes_x) * down_x + (nose_y - eyes_y) * down_y) / face_height**2
    aside_x, aside_y = nose_x - (eyes_x + along * down_x), nose_y - (eyes_y + along * down_y)
    offset = (aside_x * across_x + aside_y * across_y) / distance
    turned = offset / (distance / 2) / YAW_FULL_TURN_RATIO
    yaw = math.degrees(math.asin(min(max(turned, -1.0), 1.0)))
    pitch = min(max((along - PITCH_NEUTRAL_RATIO) * PITCH_DEGREES_PER_RATIO, -90.0), 90.0)
    return yaw, pitch, roll
