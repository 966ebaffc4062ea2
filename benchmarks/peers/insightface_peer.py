"""InsightFace's FaceAnalysis on the pack that FACEWEB_SHARED_DATA holds: SCRFD-2.5GF and a MobileFaceNet."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from insightface.app import FaceAnalysis
from numpy.typing import NDArray

from benchmarks.peers import measuring

PACK = "scrfd_mbf"


class InsightFace:
    """As its README shows it: ONNX Runtime on the CPU, its default sizes of detection."""

    def __init__(self) -> None:
        """Loads the pack."""
        # FaceAnalysis takes ROOT/models/NAME; the shared data has packs/NAME.
        pack = Path(os.environ["FACEWEB_SHARED_DATA"]) / "packs" / PACK
        self._app = FaceAnalysis(name=str(pack), providers=["CPUExecutionProvider"])
        self._app.prepare(ctx_id=-1)

    def vector(self, jpeg: bytes) -> NDArray[np.float32] | None:
        """See `measuring.Recogniser`."""
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError("expected a JPEG file")
        faces = self._app.get(image)
        if not faces:
            return None
        boxes = [face.bbox for face in faces]
        return np.asarray(
            faces[measuring.nearest_centre(boxes, image.shape[1], image.shape[0])].normed_embedding, np.float32
        )


if __name__ == "__main__":
    measuring.main(InsightFace)
