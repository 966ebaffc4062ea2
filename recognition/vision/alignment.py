"""Puts a face where the embedder expects it: five landmarks onto the ArcFace template."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision.types import ImageBgr, Landmarks

CROP_SIZE_PX = 112

SMALLEST_SPREAD = 1e-12

ARCFACE_TEMPLATE_XY = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float32,
)
"""Where the landmarks lie in the 112 x 112 crop.

Source: ArcFace (Deng et al., 2019), `arcface_dst` of the insightface project, MIT; the same
points as in OpenCV's FaceRecognizerSF.
"""


def similarity_transform(from_xy: NDArray[np.float32], to_xy: NDArray[np.float32]) -> NDArray[np.float64]:
    """The rotation, scale and shift that moves points onto others with least squared error.

    Args:
        from_xy: (n, 2) float32.
        to_xy: (n, 2) float32.

    Returns:
        (2, 3) float64 affine matrix. Mirroring is never part of it.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", IEEE PAMI 13 (1991), eq. 40 to 43.
    """
    from_mean, to_mean = from_xy.mean(axis=0), to_xy.mean(axis=0)
    source, target = from_xy - from_mean, to_xy - to_mean
    u, singular, vt = np.linalg.svd(target.T @ source / len(from_xy))
    sign = np.array([1.0, 1.0 if np.linalg.det(u) * np.linalg.det(vt) > 0 else -1.0])
    rotation = u @ np.diag(sign) @ vt
    # Points that all coincide have no spread; the smallest number keeps the division defined.
    spread = max(float(source.var(axis=0).sum()), SMALLEST_SPREAD)
    scale = float((singular * sign).sum()) / spread
    matrix = np.empty((2, 3))
    matrix[:, :2] = scale * rotation
    matrix[:, 2] = to_mean - scale * rotation @ from_mean
    return matrix


def align(image_bgr: ImageBgr, landmarks: Landmarks) -> NDArray[np.uint8]:
    """Cuts out a face upright and at the embedder's size.

    Args:
        image_bgr: (height, width, 3) uint8 in the order blue, green, red.
        landmarks: the face's points in pixels of that image.

    Returns:
        (112, 112, 3) uint8 in the order blue, green, red; black where the image ends.
    """
    matrix = similarity_transform(landmarks.points_xy, ARCFACE_TEMPLATE_XY)
    crop = cv2.warpAffine(image_bgr, matrix, (CROP_SIZE_PX, CROP_SIZE_PX), flags=cv2.INTER_LINEAR)
    return np.asarray(crop, dtype=np.uint8)
