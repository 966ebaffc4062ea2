"""Boxes, canvases and head pose: geometry that several modules share."""

from __future__ import annotations

import math

import cv2
import numpy as np

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
    wh = max(round(size.width * scale), 1), max(round(size.height * scale), 1)
    interpolation = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image_bgr, wh, interpolation=interpolation), dtype=np.uint8)


def crop_square(image_bgr: ImageBgr, box: BoundingBox, *, context: float, side_px: int) -> ImageBgr:
    """Cuts a square around a box and scales it, with black where the image ends.

    Args:
        image_bgr: (height, width, 3) uint8.
        box: what stands in the middle.
        context: side of the square over the longer side of the box.
        side_px: side of the result.

    Returns:
        (side_px, side_px, 3) uint8 in the channel order of the input.
    """
    side = max(box.width, box.height) * context
    scale = side_px / side
    x = (box.x_min + box.x_max - side) / 2
    y = (box.y_min + box.y_max - side) / 2
    matrix = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
    square = cv2.warpAffine(image_bgr, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR)
    return np.asarray(square, dtype=np.uint8)


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
        Yaw (positive: the face turns to the image's right), pitch (positive: down) and roll
        (positive: clockwise), each -90..90.
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
