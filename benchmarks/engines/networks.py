"""What the comparison runs beside the product's own sessions: other engines, precisions and classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import onnx
import onnxruntime
import openvino
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.scrfd import SCRFD
from numpy.typing import NDArray

from recognition.vision.backends.insightface import InsightFaceDetector
from recognition.vision.backends.opencv_zoo import YuNetDetector
from recognition.vision.interfaces import FaceDetector, InferenceSession
from recognition.vision.runtimes.onnxruntime import CPU
from recognition.vision.runtimes.openvino import OpenVinoSession
from recognition.vision.types import BoundingBox, DetectedFace, ImageBgr, Landmarks

NOT_INSTALLED = "not installed"
NMS_IOU = 0.3


class OpenCvYuNet:
    """YuNet as OpenCV itself runs it."""

    runtime = f"opencv {cv2.__version__}"
    sure_score = YuNetDetector.sure_score
    upright_degrees = YuNetDetector.upright_degrees
    tilt_view_px = YuNetDetector.tilt_view_px

    def __init__(self, path: Path, minimum_score: float) -> None:
        """Loads the published file."""
        self._detector = cv2.FaceDetectorYN.create(str(path), "", (320, 320), minimum_score, NMS_IOU)

    def detect(self, image_bgr: ImageBgr) -> tuple[DetectedFace, ...]:
        """See `FaceDetector`."""
        self._detector.setInputSize((image_bgr.shape[1], image_bgr.shape[0]))
        rows: NDArray[np.float32] | None = self._detector.detect(image_bgr)[1]  # type: ignore[assignment]  # None without a face
        return tuple(
            DetectedFace(
                BoundingBox(row[0], row[1], row[0] + row[2], row[1] + row[3]),
                Landmarks(np.array(row[4:14], np.float32).reshape(5, 2)),
                min(row[14], 1.0),
            )
            for row in (() if rows is None else rows.tolist())
        )


class CropKeeper:
    """Takes the embedder's place and keeps what it was given."""

    runtime = "none"

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `FaceEmbedder`; any vector will do."""
        self.last = crops_bgr.copy()
        return np.ones((len(crops_bgr), 1), np.float32)


class AsPublished:
    """A network on ONNX Runtime with its PRelu nodes as they are."""

    def __init__(self, path: Path) -> None:
        """Loads the file."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=[CPU])

    @property
    def runtime(self) -> str:
        """See `InferenceSession`."""
        return f"onnxruntime {onnxruntime.__version__}"

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """See `InferenceSession`."""
        return tuple(self.session.run(None, {self.session.get_inputs()[0].name: batch}))


def quantised(path: Path, crops_bgr: NDArray[np.uint8]) -> Path:
    """A network in static INT8, calibrated on crops.

    Raises:
        ImportError: where NNCF is not installed.
    """
    import nncf  # type: ignore[import-not-found]  # no part of the product

    batches = [np.asarray(cv2.dnn.blobFromImage(crop, swapRB=True), np.float32) for crop in crops_bgr]
    model = openvino.Core().read_model(path)
    model.reshape(list(batches[0].shape))
    done = nncf.quantize(model, nncf.Dataset(batches), subset_size=len(batches))
    done.reshape([-1, *batches[0].shape[1:]])
    target = path.with_name(f"{path.stem}-int8.xml")
    openvino.save_model(done, target)
    return target


def scrfd(path: Path, minimum_score: float) -> dict[str, FaceDetector]:
    """InsightFace's own detector class, on its own runtime and on OpenVINO."""
    theirs = InsightFaceDetector(path, minimum_score=minimum_score)
    ours = InsightFaceDetector(path, minimum_score=minimum_score)
    ours._model = SCRFD(str(path), session=_AsOnnxRuntime(path))
    return {"SCRFD-2.5GF, ONNX Runtime": theirs, "SCRFD-2.5GF, OpenVINO": ours}


def arcface(path: Path) -> dict[str, Callable[[], InferenceSession]]:
    """InsightFace's own recogniser class, on its own runtime and on OpenVINO."""
    return {
        "MobileFaceNet, ONNX Runtime": lambda: _ArcFace(path, None),
        "MobileFaceNet, OpenVINO": lambda: _ArcFace(path, _AsOnnxRuntime(path)),
    }


class _ArcFace:
    """The class as a session: takes RGB 0..255, as SFace's session does."""

    runtime = "insightface"

    def __init__(self, path: Path, session: _AsOnnxRuntime | None) -> None:
        self._model = ArcFaceONNX(str(path), session=session or AsPublished(path).session)

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        crops_bgr = batch.transpose(0, 2, 3, 1)[..., ::-1].astype(np.uint8)
        return (np.concatenate([self._model.get_feat(np.ascontiguousarray(crop)) for crop in crops_bgr]),)


class _Named(NamedTuple):
    name: str
    shape: list[int | str]


class _AsOnnxRuntime:
    """An OpenVINO session with the methods of ONNX Runtime's that InsightFace's classes call."""

    def __init__(self, path: Path) -> None:
        self._session = OpenVinoSession(path)
        graph = onnx.load(path).graph
        given = {value.name for value in graph.initializer}
        self._inputs = [_named(value) for value in graph.input if value.name not in given]
        self._outputs = [_named(value) for value in graph.output]

    def get_inputs(self) -> list[_Named]:
        return self._inputs

    def get_outputs(self) -> list[_Named]:
        return self._outputs

    def run(self, _names: list[str], feed: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        (batch,) = feed.values()
        return list(self._session.run(batch))


def _named(value: Any) -> _Named:
    sides = value.type.tensor_type.shape.dim
    return _Named(value.name, [side.dim_value or side.dim_param for side in sides])
