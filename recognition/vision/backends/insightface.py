"""Runs any InsightFace pack with that project's own classes.

Source: the `insightface` package (MIT); the weights of its packs have terms of their own.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from insightface.model_zoo import model_zoo
from insightface.utils import storage
from numpy.typing import NDArray

from recognition.vision.errors import PackUnavailable
from recognition.vision.runtimes import onnxruntime as onnxruntime_session
from recognition.vision.runtimes.choice import Accelerator
from recognition.vision.types import (
    BoundingBox,
    DetectedFace,
    ImageBgr,
    Landmarks,
    require_array,
    require_image,
)

CANVAS_STEP_PX = 32
"""SCRFD needs sides that are multiples of its largest stride."""


def downloaded(name: str, model_dir: Path) -> Path:
    """The folder of a named pack, downloaded by InsightFace where it is not there yet.

    Args:
        name: "buffalo_l", "antelopev2"...
        model_dir: folder of packs; InsightFace itself keeps them in `~/.insightface/models`.

    Raises:
        PackUnavailable: when it is not there and cannot be downloaded.
    """
    folder = model_dir / name
    if folder.is_dir():
        return folder
    try:
        # It prints the address and a progress bar; neither belongs into our output.
        with contextlib.redirect_stdout(io.StringIO()):
            storage.ensure_available(model_dir.name, name, root=str(model_dir.parent))
    # requests, zipfile and the package itself raise many kinds here, none of them documented.
    except Exception as error:
        raise PackUnavailable(
            f"The model pack {name} is not in {folder} and could not be downloaded "
            f"({type(error).__name__}). On a machine with internet download {name}.zip from the "
            f"InsightFace model zoo, and unpack its .onnx files into {folder}."
        ) from error
    return folder


def _load(path: Path, threads: int, accelerator: Accelerator | None) -> tuple[Any, str]:
    """A network as InsightFace's class, and what it runs on."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    wanted = onnxruntime_session.providers(accelerator)
    with onnxruntime_session.telling_on_stderr():
        model = model_zoo.get_model(str(path), sess_options=options, providers=wanted)
    if model is None:
        raise PackUnavailable(f"InsightFace does not know what the network in {path} is for; use another file.")
    return model, onnxruntime_session.in_use(model.session, accelerator)


class InsightFaceDetector:
    """SCRFD or RetinaFace of a pack."""

    sure_score = 0.74
    upright_degrees = 15.0
    tilt_view_px = 192

    def __init__(
        self, path: Path, *, minimum_score: float, threads: int = 1, accelerator: Accelerator | None = None
    ) -> None:
        """Loads the detector.

        Raises:
            PackUnavailable: when the file holds something else.
            RuntimeUnavailable: when the accelerator does not start.
        """
        self._model, self._runtime = _load(path, threads, accelerator)
        if self._model.taskname != "detection":
            raise PackUnavailable(f"{path} is not a face detector but {self._model.taskname}.")
        self._minimum_score = minimum_score

    @property
    def runtime(self) -> str:
        """Name, version and provider in use."""
        return self._runtime

    def detect(self, image_bgr: ImageBgr) -> tuple[DetectedFace, ...]:
        """Finds the faces of a (height, width, 3) uint8 image; see `FaceDetector`."""
        require_image(image_bgr)
        height, width = image_bgr.shape[:2]
        size = (
            -(-width // CANVAS_STEP_PX) * CANVAS_STEP_PX,
            -(-height // CANVAS_STEP_PX) * CANVAS_STEP_PX,
        )
        # Padded here, because the class would stretch the image to the canvas's height or width.
        canvas = np.zeros((size[1], size[0], 3), np.uint8)
        canvas[:height, :width] = image_bgr
        boxes, points = self._model.detect(canvas, input_size=size, det_thresh=self._minimum_score)
        if points is None:
            return ()
        faces = [
            DetectedFace(
                BoundingBox(*(float(edge) for edge in box[:4])),
                Landmarks(np.asarray(five, np.float32).copy()),
                min(float(box[4]), 1.0),
            )
            for box, five in zip(boxes, points, strict=True)
            if box[2] > box[0] and box[3] > box[1]
        ]
        return tuple(sorted(faces, key=lambda face: face.score, reverse=True))


class InsightFaceEmbedder:
    """The recogniser of a pack."""

    def __init__(self, path: Path, *, threads: int = 1, accelerator: Accelerator | None = None) -> None:
        """Loads the recogniser.

        Raises:
            PackUnavailable: when the file holds something else.
            RuntimeUnavailable: when the accelerator does not start.
        """
        self._model, self._runtime = _load(path, threads, accelerator)
        if self._model.taskname != "recognition":
            raise PackUnavailable(f"{path} is not a recogniser but {self._model.taskname}.")

    @property
    def runtime(self) -> str:
        """Name, version and provider in use."""
        return self._runtime

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeds (n, 112, 112, 3) uint8 crops; see `FaceEmbedder`."""
        require_array("crops_bgr", crops_bgr, shape=(None, 112, 112, 3), dtype=np.uint8)
        # Some recognisers were exported for one face at a time.
        takes_one = isinstance(self._model.input_shape[0], int)
        batches = [[crop] for crop in crops_bgr] if takes_one else [list(crops_bgr)]
        return np.concatenate([np.asarray(self._model.get_feat(batch), np.float32) for batch in batches])
