"""The default networks: YuNet finds faces, SFace embeds them.

Source of both: OpenCV Zoo. YuNet: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023
(MIT). SFace: Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face
Recognition", IEEE TIP 2021 (Apache-2.0).
"""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray

from recognition.vision.backends import onnx_graphs
from recognition.vision.interfaces import InferenceSession
from recognition.vision.types import (
    LANDMARK_COUNT,
    BoundingBox,
    DetectedFace,
    ImageBgr,
    Landmarks,
    require_array,
    require_image,
)

YUNET_STRIDES = (8, 16, 32)

NMS_IOU = 0.3
"""Two boxes that overlap more are one face; the value of OpenCV's own face detection sample."""

SMALLEST_SIDE_PX = 2.0
"""A "face" below two pixels is noise of the network, and could have no area at all."""

LARGEST_LOG_SIDE = 20.0
"""Keeps the exponential of a wild output finite; e to the 20 is far beyond any canvas."""

LOGIT_TOLERANCE = 1e-3
"""What is left out by its logit must be out by its score too, however both are rounded."""

FIND_COLUMNS = 15

HEADS = ("cls", "obj", "bbox", "kps")
"""YuNet's outputs at each stride: two parts of the score, the box, five points."""

CANVAS_STEP_PX = 64
"""Images are padded to multiples of this: the network needs 32; 64 halves the number of shapes."""


def prepared_yunet(model: onnx.ModelProto) -> onnx.ModelProto:
    """YuNet for any canvas whose sides are multiples of 32, with one output a stride: 16 channels, scores as logits."""
    onnx_graphs.free_dimensions(model, axis_2="height", axis_3="width")
    onnx_graphs.fold_constants(model)
    for stride in YUNET_STRIDES:
        onnx_graphs.merge_heads(model, [f"{head}_{stride}" for head in HEADS], f"found_{stride}")
    onnx_graphs.remove_unused(model)
    return model


def prepared_sface(model: onnx.ModelProto) -> onnx.ModelProto:
    """SFace with float32 weights and any batch size."""
    onnx_graphs.only_input(model, "data")
    onnx_graphs.free_dimensions(model, axis_0="batch")
    onnx_graphs.fold_constants(model)
    return model


@functools.lru_cache(maxsize=64)
def _priors(height: int, width: int, stride: int) -> NDArray[np.float32]:
    rows, columns = np.mgrid[: height // stride, : width // stride]
    return np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)


class YuNetDetector:
    """Finds faces of about 10 to 300 pixels in the image that it is given."""

    sure_score = 0.93
    upright_degrees = 3.0
    tilt_view_px = 384

    def __init__(self, session: InferenceSession, *, minimum_score: float) -> None:
        """Takes a session of a graph from `prepared_yunet`.

        Args:
            session: runs the network.
            minimum_score: above 0 and below 1; weaker finds are dropped.
        """
        self._session = session
        self._minimum_score = minimum_score
        self._lowest_logit = np.float32(math.log(minimum_score**2 / (1.0 - minimum_score**2)) - LOGIT_TOLERANCE)

    @property
    def runtime(self) -> str:
        """Name, version and device that really run the network."""
        return self._session.runtime

    def detect(self, image_bgr: ImageBgr) -> tuple[DetectedFace, ...]:
        """Finds the faces of a (height, width, 3) uint8 image; see `FaceDetector`."""
        require_image(image_bgr)
        height, width = image_bgr.shape[:2]
        canvas_height = -(-height // CANVAS_STEP_PX) * CANVAS_STEP_PX
        canvas_width = -(-width // CANVAS_STEP_PX) * CANVAS_STEP_PX
        canvas = image_bgr
        if (canvas_height, canvas_width) != (height, width):
            canvas = np.zeros((canvas_height, canvas_width, 3), np.uint8)
            canvas[:height, :width] = image_bgr
        outputs = self._session.run(np.asarray(cv2.dnn.blobFromImage(canvas), np.float32))
        levels = [
            self._decoded(output.reshape(output.shape[1], -1), _priors(canvas_height, canvas_width, stride), stride)
            for output, stride in zip(outputs, YUNET_STRIDES, strict=True)
        ]
        return _suppressed(np.concatenate(levels))

    def _decoded(self, output: NDArray[np.float32], priors: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
        """One pyramid level's finds: (n, 15) score, x, y, width, height, five points.

        Source: OpenCV, modules/objdetect/src/face_detect.cpp.
        """
        # The score is the root of a product of two sigmoids, so neither may be below its square. That leaves a few
        # of all priors to compute it of.
        near = np.flatnonzero((output[:2] >= self._lowest_logit).all(axis=0))
        squared = (1.0 / (1.0 + np.exp(-output[:2, near]))).prod(axis=0)
        is_found = squared >= self._minimum_score**2
        found = near[is_found]
        size = np.exp(np.minimum(output[4:6, found].T, LARGEST_LOG_SIDE)) * stride
        finds = np.empty((len(found), FIND_COLUMNS), np.float32)
        finds[:, 0] = np.sqrt(squared[is_found])
        finds[:, 1:3] = (priors[found] + output[2:4, found].T) * stride - size / 2
        finds[:, 3:5] = size
        finds[:, 5:] = (output[6:, found].T + np.tile(priors[found], LANDMARK_COUNT)) * stride
        large_enough: NDArray[np.bool_] = size.min(axis=1, initial=np.inf) >= SMALLEST_SIDE_PX
        return finds[large_enough]


def _suppressed(finds: NDArray[np.float32]) -> tuple[DetectedFace, ...]:
    """The best-scored of finds that overlap; only these become objects."""
    if not len(finds):
        return ()
    kept = cv2.dnn.NMSBoxes(finds[:, 1:5].tolist(), finds[:, 0].tolist(), 0.0, NMS_IOU)
    faces = []
    for score, x, y, width, height, *points in finds[np.asarray(kept, np.intp)].tolist():
        landmarks = Landmarks(np.array(points, np.float32).reshape(LANDMARK_COUNT, 2))
        faces.append(DetectedFace(BoundingBox(x, y, x + width, y + height), landmarks, min(score, 1.0)))
    return tuple(faces)


class SFaceEmbedder:
    """Embeds aligned faces as 128 numbers."""

    def __init__(self, session: InferenceSession) -> None:
        """Takes a session of a graph from `prepared_sface`."""
        self._session = session

    @property
    def runtime(self) -> str:
        """Name, version and device that really run the network."""
        return self._session.runtime

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeds (n, 112, 112, 3) uint8 crops; the network takes RGB 0..255 and normalises inside."""
        require_array("crops_bgr", crops_bgr, shape=(None, 112, 112, 3), dtype=np.uint8)
        batch = np.asarray(cv2.dnn.blobFromImages(list(crops_bgr), swapRB=True), np.float32)
        return self._session.run(batch)[0]
