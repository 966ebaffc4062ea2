"""Which engine runs the networks fastest on this machine, and what it does to accuracy: one run, one table.

Run it from the project's folder, alone on the machine:

    .venv/bin/python -m benchmarks.engines.compare --data /path/to/lfw-view1 --pack /path/to/scrfd_mbf

The row of INT8 needs NNCF, which is no part of the product (README.md beside this file says how to get it).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray

from benchmarks.engines import networks
from benchmarks.engines.networks import NOT_INSTALLED
from recognition.evaluation import lfw_protocol, verification
from recognition.evaluation.lfw_protocol import ImageName, PairsFile
from recognition.vision import images, model_packs
from recognition.vision.backends import opencv_zoo
from recognition.vision.backends.opencv_zoo import SFaceEmbedder, YuNetDetector
from recognition.vision.interfaces import FaceDetector, InferenceSession
from recognition.vision.pipeline import FacePipeline
from recognition.vision.runtimes.onnxruntime import OnnxRuntimeSession
from recognition.vision.runtimes.openvino import OpenVinoSession
from recognition.vision.types import Embedding, ImageBgr, Size

MINIMUM_SCORE = 0.6
RUNS = 40
WARM_UP_RUNS = 3
BATCHES = (1, 4)
DETECTOR_SIZES = ((320, 256), (640, 480))
CALIBRATION_CROPS = 300
"""NNCF's own default."""

PRECISION_NOTE = "bfloat16 where the processor has it"

Crops = dict[ImageName, NDArray[np.uint8]]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="LFW view 1: images/ and pairs files")
    parser.add_argument("--pack", type=Path, metavar="DIR", help="an InsightFace pack, for its classes on OpenVINO")
    parser.add_argument("--limit", type=int, metavar="N", help="only so many images: a trial run")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        for line in _report(options.data, options.pack, options.limit, Path(folder)):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def _report(data: Path, pack: Path | None, limit: int | None, folder: Path) -> Iterator[str]:
    pairs, train_pairs = (lfw_protocol.parse((data / f"pairsDev{name}.txt").read_text()) for name in ("Test", "Train"))
    names = sorted(_named(path) for path in (data / "images").glob("*/*.jpg"))[:limit]
    shipped = model_packs.opencv_zoo_pack()
    yunet, sface = folder / "yunet.onnx", folder / "sface.onnx"
    onnx.save(opencv_zoo.prepared_yunet(onnx.load(shipped.file("detector"))), yunet)
    onnx.save(opencv_zoo.prepared_sface(onnx.load(shipped.file("embedder"))), sface)
    detectors: dict[str, FaceDetector] = {
        "YuNet, OpenCV": networks.OpenCvYuNet(shipped.file("detector"), MINIMUM_SCORE),
        "YuNet, ONNX Runtime": YuNetDetector(OnnxRuntimeSession(yunet), minimum_score=MINIMUM_SCORE),
        "YuNet, OpenVINO": YuNetDetector(OpenVinoSession(yunet), minimum_score=MINIMUM_SCORE),
    }
    if pack is not None:
        detectors |= networks.scrfd(pack / "scrfd_2.5g_bnkps.onnx", MINIMUM_SCORE)
    yield from _of_detectors(detectors, [_read(data, name) for name in names[:200]])
    crops = _crops(detectors["YuNet, ONNX Runtime"], data, names)
    sample = np.concatenate(list(crops.values())[:: max(len(crops) // CALIBRATION_CROPS, 1)])[:CALIBRATION_CROPS]
    embedders: dict[str, Callable[[], InferenceSession]] = {
        "SFace, ONNX Runtime, PRelu as it is": lambda: networks.AsPublished(sface),
        "SFace, ONNX Runtime, PRelu as two Relu": lambda: OnnxRuntimeSession(sface),
        "SFace, OpenVINO float32": lambda: OpenVinoSession(sface, precision="float32"),
        f"SFace, OpenVINO default ({PRECISION_NOTE})": lambda: OpenVinoSession(sface),
        "SFace, OpenVINO INT8 (NNCF)": lambda: OpenVinoSession(networks.quantised(sface, sample)),
    }
    if pack is not None:
        embedders |= networks.arcface(pack / "mobilefacenet.onnx")
    yield from _of_embedders(embedders, crops, pairs, train_pairs)


def _of_detectors(detectors: Mapping[str, FaceDetector], photos: Sequence[ImageBgr]) -> Iterator[str]:
    yield "| Detector | " + " | ".join(f"ms, {width} x {height}" for width, height in DETECTOR_SIZES) + " | landmarks |"
    yield "| --- | --- | --- | --- |"
    reference = _landmarks(detectors["YuNet, ONNX Runtime"], photos)
    for name, detector in detectors.items():
        times = [
            _best_ms(detector.detect, np.asarray(cv2.resize(photos[0], size), np.uint8)) for size in DETECTOR_SIZES
        ]
        apart = "-"
        if name.startswith("YuNet"):
            moved = [
                float(np.abs(ours - theirs).max())
                for ours, theirs in zip(_landmarks(detector, photos), reference, strict=True)
                if ours is not None and theirs is not None
            ]
            apart = f"{np.median(moved):.3f} px apart (median), {max(moved):.2f} at most"
        yield f"| {name} | " + " | ".join(f"{ms:.2f}" for ms in times) + f" | {apart} |"
    yield ""


def _landmarks(detector: FaceDetector, photos: Sequence[ImageBgr]) -> list[NDArray[np.float32] | None]:
    found = [detector.detect(photo) for photo in photos]
    return [faces[0].landmarks.points_xy if len(faces) == 1 else None for faces in found]


def _of_embedders(
    embedders: Mapping[str, Callable[[], InferenceSession]], crops: Crops, pairs: PairsFile, train_pairs: PairsFile
) -> Iterator[str]:
    yield (
        "| Embedder | "
        + " | ".join(f"ms, {count} a call" for count in BATCHES)
        + (" | accuracy | TMR at 1e-4 | at 1e-5 |")
    )
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, load in embedders.items():
        try:
            embedder = SFaceEmbedder(load())
        except ImportError:
            yield f"| {name} | {NOT_INSTALLED} | | | | |"
            continue
        few = np.concatenate(list(crops.values())[: max(BATCHES)])
        times = [_best_ms(embedder.embed, few[:count]) / count for count in BATCHES]
        vectors = {image: Embedding.from_raw(embedder.embed(crop)[0], name) for image, crop in crops.items()}
        measured = verification.measure(vectors, pairs=pairs, train_pairs=train_pairs, with_all_pairs=True)
        tmrs = "-"
        if measured.everything is not None:
            every = measured.everything
            tmrs = " | ".join(f"{every.tmr(point):.5f}" for point in every.points if point.fmr < 1e-3)
        yield f"| {name} | " + " | ".join(f"{ms:.2f}" for ms in times) + (f" | {measured.accuracy.mean:.4f} | {tmrs} |")


def _crops(detector: FaceDetector, data: Path, names: Sequence[ImageName]) -> Crops:
    """The aligned face of each image, as the product would embed it: (1, 112, 112, 3) uint8."""
    kept = networks.CropKeeper()
    pipeline = FacePipeline(
        pack_digest="benchmark",
        detector=detector,
        embedder=kept,
        landmark_views=model_packs.opencv_zoo_pack().landmark_views,
    )
    crops = {}
    for name in names:
        photo = _read(data, name)
        found = pipeline.find(photo)
        if found:
            pipeline.embed(photo, [lfw_protocol.central_face(found, Size.of(photo))])
            crops[name] = kept.last
    return crops


def _read(data: Path, name: ImageName) -> ImageBgr:
    return images.decode((data / "images" / name.path).read_bytes())


def _named(path: Path) -> ImageName:
    person, _, number = path.stem.rpartition("_")
    return ImageName(person, int(number))


def _best_ms(call: Callable[[NDArray[np.uint8]], object], argument: NDArray[np.uint8]) -> float:
    """The shortest of several calls: what else the machine does makes them longer, never shorter."""
    for _ in range(WARM_UP_RUNS):
        call(argument)
    best = float("inf")
    for _ in range(RUNS):
        begin = time.perf_counter()
        call(argument)
        best = min(best, (time.perf_counter() - begin) * 1e3)
    return best


if __name__ == "__main__":
    main()
