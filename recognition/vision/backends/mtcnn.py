"""MTCNN finds faces: three small networks, each of which looks closer at what the one before it left over.

Source: Zhang, Zhang, Li and Qiao, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks",
IEEE Signal Processing Letters 23 (2016); thresholds, overlaps and formulas as in the authors' code (MIT,
https://github.com/kpzhang93/MTCNN_face_detection_alignment). Two things differ: boxes end at the far edge of their last
pixel, and candidates of different levels are compared after the network has moved them.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision.interfaces import InferenceSession
from recognition.vision.types import (
    LANDMARK_COUNT,
    BoundingBox,
    DetectedFace,
    ImageBgr,
    Landmarks,
    require_image,
)

WINDOW_PX = 12
"""Side of the square that P-Net judges at each place."""

WINDOW_STEP_PX = 2

SMALLEST_FACE_PX = 20.0
"""Size of face that the window has at the finest level."""

LEVEL_FACTOR = 0.709
"""Between the scales of two levels: about the root of a half."""

P_NET_SCORE, R_NET_SCORE = 0.6, 0.7
"""What the first two networks must think of a candidate; what O-Net must is the caller's choice."""

LEVEL_IOU, CANDIDATE_IOU = 0.5, 0.7
"""Candidates of one level, and of all levels, that overlap more are one."""

FACE_OVERLAP = 0.7
"""Of two faces that cover more of the smaller one, the better is kept."""

MOST_CANDIDATES = 1000
"""How many are looked at closer, the best first: a photo leaves some hundred, a texture could leave many thousands."""

R_NET_SIDE_PX, O_NET_SIDE_PX = 24, 48

SMALLEST_SIDE_PX = 2.0
"""A candidate below two pixels is noise of a network, and could have no area at all."""

Finds = NDArray[np.float32]
"""(n, 5) candidates: left, upper, right and lower edge in pixels of the image, score 0..1."""


class MtcnnDetector:
    """Finds faces of 20 pixels and more in the image that it is given."""

    sure_score = 0.99
    upright_degrees = 3.0
    tilt_view_px = 192

    def __init__(
        self, p_net: InferenceSession, r_net: InferenceSession, o_net: InferenceSession, *, minimum_score: float
    ) -> None:
        """Takes a session of each of the three networks.

        Args:
            p_net: proposes: offsets and probabilities for each place of an image of any size.
            r_net: refines: the same for squares of 24 pixels.
            o_net: puts out: landmarks, offsets and probabilities for squares of 48 pixels.
            minimum_score: what O-Net must think of a face, 0..1.
        """
        self._p_net, self._r_net, self._o_net = p_net, r_net, o_net
        self._minimum_score = minimum_score

    @property
    def runtime(self) -> str:
        """Name, version and device that really run the networks."""
        return self._o_net.runtime

    def detect(self, image_bgr: ImageBgr) -> tuple[DetectedFace, ...]:
        """Finds the faces of a (height, width, 3) uint8 image; see `FaceDetector`."""
        require_image(image_bgr)
        return self._put_out(image_bgr, self._refined(image_bgr, self._proposed(image_bgr)))

    def _proposed(self, image_bgr: ImageBgr) -> Finds:
        """What P-Net takes for a face, at each place and scale."""
        levels = [_empty()]
        for scale in _scales(min(image_bgr.shape[:2])):
            height, width = (round(side * scale) for side in image_bgr.shape[:2])
            level = cv2.resize(image_bgr, (width, height), interpolation=cv2.INTER_AREA)
            offsets, probabilities = self._p_net.run(_batch([np.asarray(level, np.uint8)]))
            rows, columns = np.nonzero(probabilities[0, 1] > P_NET_SCORE)
            corner = np.stack([columns, rows], axis=1) * WINDOW_STEP_PX
            windows = np.hstack([corner, corner + WINDOW_PX]) / scale
            finds = np.column_stack([windows, probabilities[0, 1, rows, columns]]).astype(np.float32)
            kept = _unlike(finds, LEVEL_IOU)
            levels.append(_moved(finds[kept], offsets[0, :, rows[kept], columns[kept]]))
        return np.concatenate(levels)

    def _refined(self, image_bgr: ImageBgr, candidates: Finds) -> Finds:
        """What R-Net leaves of them."""
        candidates = candidates[_is_large(candidates)]
        squares = _squares(candidates[_unlike(candidates, CANDIDATE_IOU)])
        if not len(squares):
            return squares
        offsets, probabilities = self._r_net.run(_batch(_patches(image_bgr, squares, R_NET_SIDE_PX)))
        squares[:, 4] = probabilities[:, 1]
        is_face = squares[:, 4] > R_NET_SCORE
        finds, offsets = squares[is_face], offsets[is_face]
        kept = _unlike(finds, CANDIDATE_IOU)
        moved = _moved(finds[kept], offsets[kept])
        return _squares(moved[_is_large(moved)])

    def _put_out(self, image_bgr: ImageBgr, squares: Finds) -> tuple[DetectedFace, ...]:
        """What O-Net leaves of them, as faces, best score first."""
        if not len(squares):
            return ()
        points, offsets, probabilities = self._o_net.run(_batch(_patches(image_bgr, squares, O_NET_SIDE_PX)))
        squares[:, 4] = probabilities[:, 1]
        is_face = squares[:, 4] > self._minimum_score
        squares, points = squares[is_face], points[is_face]
        # First all five x, then all five y, as shares of the square.
        points_xy = points.reshape(-1, 2, LANDMARK_COUNT).transpose(0, 2, 1)
        points_xy = points_xy * (squares[:, 2:4] - squares[:, :2])[:, None] + squares[:, None, :2]
        finds = _moved(squares, offsets[is_face])
        return tuple(
            DetectedFace(
                BoundingBox(*(float(edge) for edge in finds[index, :4])),
                Landmarks(points_xy[index].astype(np.float32)),
                min(float(finds[index, 4]), 1.0),
            )
            for index in _without_parts(finds)
        )


def _empty() -> Finds:
    return np.empty((0, 5), np.float32)


def _scales(shorter_side_px: int) -> Iterator[float]:
    scale = WINDOW_PX / SMALLEST_FACE_PX
    while shorter_side_px * scale >= WINDOW_PX:
        yield scale
        scale *= LEVEL_FACTOR


def _batch(images_bgr: list[ImageBgr]) -> NDArray[np.float32]:
    """Images of one size as the networks take them: (n, 3, height, width), red first, about -1..1."""
    blob = cv2.dnn.blobFromImages(images_bgr, 1 / 128, mean=(127.5, 127.5, 127.5), swapRB=True)
    return np.asarray(blob, np.float32)


def _patches(image_bgr: ImageBgr, squares: Finds, side_px: int) -> list[ImageBgr]:
    """Each square cut out and scaled, with black where the image ends."""
    height, width = image_bgr.shape[:2]
    patches = []
    for x_min, y_min, x_max, y_max in squares[:, :4].astype(int).tolist():
        patch = np.zeros((y_max - y_min, x_max - x_min, 3), np.uint8)
        left, upper, right, lower = max(x_min, 0), max(y_min, 0), min(x_max, width), min(y_max, height)
        if left < right and upper < lower:
            patch[upper - y_min : lower - y_min, left - x_min : right - x_min] = image_bgr[upper:lower, left:right]
        resized = cv2.resize(patch, (side_px, side_px), interpolation=cv2.INTER_AREA)
        patches.append(np.asarray(resized, np.uint8))
    return patches


def _moved(finds: Finds, offsets: NDArray[np.float32]) -> Finds:
    """Edges moved by (n, 4) shares of the sides."""
    sides = finds[:, 2:4] - finds[:, :2]
    return np.column_stack([finds[:, :4] + np.hstack([sides, sides]) * offsets, finds[:, 4]])


def _is_large(finds: Finds) -> NDArray[np.bool_]:
    """Which finds have an area; false too for one whose edges are not finite."""
    sides = finds[:, 2:4] - finds[:, :2]
    is_large: NDArray[np.bool_] = np.isfinite(sides).all(axis=1) & (sides >= SMALLEST_SIDE_PX).all(axis=1)
    return is_large


def _squares(finds: Finds) -> Finds:
    """Each box as the square of its longer side around the same middle, on whole pixels."""
    side = np.round((finds[:, 2:4] - finds[:, :2]).max(axis=1, keepdims=True, initial=0.0))
    corner = np.round((finds[:, :2] + finds[:, 2:4] - side) / 2)
    return np.column_stack([corner, corner + side, finds[:, 4]])


def _unlike(finds: Finds, most_iou: float) -> NDArray[np.intp]:
    """Which finds are kept of those that overlap more than so much, best score first, at most `MOST_CANDIDATES`."""
    if not len(finds):
        return np.empty(0, np.intp)
    boxes = np.hstack([finds[:, :2], finds[:, 2:4] - finds[:, :2]]).tolist()
    kept = cv2.dnn.NMSBoxes(boxes, finds[:, 4].tolist(), 0.0, most_iou, top_k=MOST_CANDIDATES)
    return np.asarray(kept, np.intp)


def _without_parts(finds: Finds) -> list[int]:
    """Which finds are kept when one that lies mostly in a better one, or around it, is the same face."""
    kept: list[int] = []
    sides, is_large = finds[:, 2:4] - finds[:, :2], _is_large(finds)
    for index in np.argsort(-finds[:, 4]).tolist():
        if not is_large[index]:
            continue
        shared = np.minimum(finds[index, 2:4], finds[kept, 2:4]) - np.maximum(finds[index, :2], finds[kept, :2])
        smaller = np.minimum(sides[index].prod(), sides[kept].prod(axis=1))
        if (shared.clip(0.0).prod(axis=1) <= FACE_OVERLAP * smaller).all():
            kept.append(index)
    return kept
