"""Real faces that the dependencies ship, so that tests of the networks run on any machine.

Each is (height, width, 3) uint8 in the order blue, green, red, and a copy of its own.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import cv2
import insightface.data
import numpy as np
import skimage.data

from recognition import wiring
from recognition.vision import images, model_packs
from recognition.vision.pipeline import FacePipeline
from recognition.vision.runtimes.choice import RuntimeOptions
from recognition.vision.types import ImageBgr

PEOPLE_IN_GROUP = 6


def astronaut() -> ImageBgr:
    """Eileen Collins, 512 x 512, one face of about 100 pixels. NASA, public domain."""
    return np.array(_astronaut())


def group() -> ImageBgr:
    """Six people, 1280 x 886, InsightFace's own sample; one of them in profile."""
    return np.array(_insightface("t1"))


def tom_hanks() -> ImageBgr:
    """A face that fills its 112 x 112 image."""
    return np.array(_insightface("Tom_Hanks_54745"))


def textures() -> dict[str, ImageBgr]:
    """Pictures full of detail without a face."""
    return {
        name: np.ascontiguousarray(np.repeat(getattr(skimage.data, name)()[:, :, None], 3, axis=2))
        for name in ("brick", "grass", "gravel", "coins")
    }


def close_up() -> ImageBgr:
    """The astronaut's face from chin to forehead, filling 640 x 640."""
    x, y, side = 172, 62, 110
    face = astronaut()[y : y + side, x : x + side]
    return np.asarray(np.kron(face, np.ones((6, 6, 1), np.uint8))[:640, :640], np.uint8)


def blurred() -> ImageBgr:
    """The astronaut so much out of focus that nobody would know her."""
    return np.asarray(cv2.GaussianBlur(astronaut(), (0, 0), 9), np.uint8)


def jpeg(image_bgr: ImageBgr) -> bytes:
    """The image as a file."""
    return images.encode_jpeg(image_bgr, 95)


@functools.cache
def default_pipeline() -> FacePipeline:
    """The default pack at work, loaded once a test run; on ONNX Runtime, which needs no compiling."""
    cache = Path(tempfile.mkdtemp(prefix="faceweb-test-cache-"))
    options = RuntimeOptions("onnxruntime", threads=1, cache_dir=cache)
    return wiring.load(model_packs.opencv_zoo_pack(), options).pipeline


@functools.cache
def _astronaut() -> ImageBgr:
    rgb = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(rgb[:, :, ::-1])


@functools.cache
def _insightface(name: str) -> ImageBgr:
    return np.asarray(insightface.data.get_image(name), np.uint8)
