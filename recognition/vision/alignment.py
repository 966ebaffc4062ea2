"""Puts a face where the embedder expects it: five landmarks onto the ArcFace template, or its box onto the square."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision import geometry
from recognition.vision.types import DetectedFace, ImageBgr, Landmarks

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

_COMPLEX = np.array([1.0, 1.0j])
"""Makes a complex number of each point."""


def similarity_transform(from_xy: NDArray[np.float32], to_xy: NDArray[np.float32]) -> NDArray[np.float64]:
    """The rotation, scale and shift that moves points onto others with least squared error.

    Args:
        from_xy: (n, 2) float32.
        to_xy: (n, 2) float32.

    Returns:
        (2, 3) float64 affine matrix. Mirroring is never part of it.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", IEEE PAMI 13 (1991). In the plane, with points as complex numbers, his solution is the
    least-squares quotient of the two patterns, which needs no singular value decomposition.
    """
    source, target = (points.astype(np.float64) @ _COMPLEX for points in (from_xy, to_xy))
    source_mean, target_mean = source.mean(), target.mean()
    centred = source - source_mean
    spread = max(float(np.vdot(centred, centred).real), np.finfo(np.float32).tiny)
    turn = np.vdot(centred, target - target_mean) / spread
    shift = target_mean - turn * source_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def align(image_bgr: ImageBgr, landmarks: Landmarks, side_px: int = CROP_SIZE_PX) -> NDArray[np.uint8]:
    """Cuts out a face upright and at the embedder's size.

    Args:
        image_bgr: (height, width, 3) uint8 in the order blue, green, red.
        landmarks: the face's points in pixels of that image.
        side_px: side of the crop; the template grows with it, as that of insightface does.

    Returns:
        (side_px, side_px, 3) uint8 in the order blue, green, red; black where the image ends.
    """
    template = ARCFACE_TEMPLATE_XY * np.float32(side_px / CROP_SIZE_PX)
    matrix = similarity_transform(landmarks.points_xy, template)
    crop = cv2.warpAffine(image_bgr, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR)
    return np.asarray(crop, dtype=np.uint8)


@dataclasses.dataclass(frozen=True, slots=True)
class Cut:
    """How faces are cut out for an embedder.

    Args:
        side_px: side of the square that the embedder takes.
        margin: how much wider than the longer side of the face box the square is that is cut out, as a share of that
            side; None where the landmarks are put onto the ArcFace template instead.
    """

    side_px: int = CROP_SIZE_PX
    margin: float | None = None

    def of(self, image_bgr: ImageBgr, face: DetectedFace) -> NDArray[np.uint8]:
        """Cuts out a face that was found in the image: (side_px, side_px, 3) uint8, upright, black outside of it."""
        if self.margin is None:
            return align(image_bgr, face.landmarks, self.side_px)
        context, tilt = 1.0 + self.margin, face.tilt_degrees
        return geometry.crop_square(image_bgr, face.box, context=context, side_px=self.side_px, tilt_degrees=tilt)


ARCFACE_CUT = Cut()
"""What most embedders take: 112 x 112 pixels by the landmarks, which the quality is measured in too."""
