"""This product's own pipeline with its default pack, for every face of every frame, without its server."""

from __future__ import annotations

import os

import cv2
import django
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import measuring
from recognition.decision.policy import QualityGates
from recognition.evaluation import lfw_protocol
from recognition.vision import images, model_packs
from recognition.vision.types import Size


class Faceweb:
    """Photos are searched as in enrolment and evaluation, camera frames as by the live page."""

    def __init__(self) -> None:
        """Loads the pack."""
        django.setup()
        from recognition import wiring

        cv2.setNumThreads(1)
        self._pipeline = wiring.load(model_packs.opencv_zoo_pack(), wiring.runtime_options()).pipeline
        self._pipeline.warm_up()

    def vector(self, jpeg: bytes) -> NDArray[np.float32] | None:
        """See `measuring.Recogniser`."""
        image = images.decode(jpeg)
        height, width = image.shape[:2]
        is_frame = width >= 640
        faces = (
            self._pipeline.find(image, smallest_face_px=QualityGates().min_face_size_px, coarser=False)
            if is_frame
            else self._pipeline.find(image)
        )
        if not faces:
            return None
        return self._pipeline.embed(image, [lfw_protocol.central_face(faces, Size(width, height))])[0].embedding.vector


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "faceweb.settings.dev")
    measuring.main(Faceweb)
