"""The composition root: from a model pack to a pipeline that runs. Nothing else imports a backend."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx

from recognition import conf
from recognition.vision import head_packs, model_packs, supplied_packs
from recognition.vision.backends import heads, insightface, mtcnn, opencv_zoo, supplied
from recognition.vision.errors import PackInvalid, PackUnavailable
from recognition.vision.interfaces import FaceDetector, FaceEmbedder
from recognition.vision.model_packs import Kind, ModelPack, Role
from recognition.vision.pipeline import FacePipeline
from recognition.vision.runtimes import choice
from recognition.vision.runtimes.choice import RuntimeOptions
from recognition.vision.runtimes.onnxruntime import OnnxRuntimeSession

MINIMUM_DETECTION_SCORE = 0.6
"""Weaker finds are noise; the policy's own gate is above this, and says so to the person."""

PREPARED_VERSION = f"2-onnx{onnx.__version__}"

TYPICAL_FRAME_SHAPE = (1, 3, 256, 320)
"""A 640 x 480 frame searched for faces of 48 pixels: what the detector meets most."""


@dataclasses.dataclass(frozen=True, slots=True)
class LoadedPack:
    """A pack with the pipeline that runs it.

    Args:
        pack: its files and terms.
        pipeline: ready to use.
        dimension: length of its vectors.
    """

    pack: ModelPack
    pipeline: FacePipeline
    dimension: int


def runtime_options() -> RuntimeOptions:
    """How networks are run on this machine, by its settings."""
    return RuntimeOptions(demand=conf.runtime(), threads=conf.worker_threads(), cache_dir=conf.cache_dir())


def find_pack(name_or_folder: str) -> ModelPack:
    """A pack by name or folder; an InsightFace name is downloaded where it is not there.

    Raises:
        PackUnavailable: when there is no such pack here and it cannot be downloaded.
    """
    if name_or_folder not in model_packs.SHIPPED_PACKS and "/" not in name_or_folder:
        insightface.downloaded(name_or_folder, conf.model_dir())
    return find_local_pack(name_or_folder)


def find_local_pack(name_or_folder: str) -> ModelPack:
    """A pack by name or folder, on this machine only.

    Raises:
        PackUnavailable: when there is no such pack here.
    """
    if shipped := model_packs.SHIPPED_PACKS.get(name_or_folder):
        return shipped()
    is_folder = "/" in name_or_folder
    folder = Path(name_or_folder).expanduser().absolute() if is_folder else conf.model_dir() / name_or_folder
    if not folder.is_dir():
        raise PackUnavailable(f"There is no model pack in {folder}. Name a pack, or the folder of one.")
    if supplied_packs.is_supplied(folder):
        return _supplied_pack(folder)
    return _head_pack(folder) if head_packs.is_head(folder) else model_packs.insightface_pack(folder)


def supplied_folders() -> list[Path]:
    """The folders of embedders that somebody brought along, among the packs of this machine."""
    folder = conf.model_dir()
    return sorted(path for path in folder.iterdir() if supplied_packs.is_supplied(path)) if folder.is_dir() else []


def _supplied_pack(folder: Path) -> ModelPack:
    manifest = supplied_packs.read(folder)
    # A path in it is meant from where it lies.
    named = str(folder / manifest.detector) if "/" in manifest.detector else manifest.detector
    place = conf.model_dir() / named
    if supplied_packs.is_supplied(place) or head_packs.is_head(place):
        raise PackInvalid(
            f"{folder / supplied_packs.MANIFEST_NAME}: detector: {manifest.detector} has no detector of its own; name "
            "a pack that has one, such as opencv-zoo."
        )
    return supplied_packs.supplied_pack(folder, manifest, find_local_pack(named))


def _head_pack(folder: Path) -> ModelPack:
    manifest = head_packs.read(folder)
    base = Path(manifest.base) if "/" in manifest.base else conf.model_dir() / manifest.base
    if head_packs.is_head(base):
        raise PackUnavailable(f"The head in {folder} names another head as its base. Train it on a pack without one.")
    return head_packs.head_pack(folder, manifest, find_local_pack(manifest.base))


def load(pack: ModelPack, options: RuntimeOptions) -> LoadedPack:
    """Verifies a pack's files and makes them ready to run.

    Raises:
        PackError: when a file is missing or damaged, or no runtime is installed.
    """
    digest = pack.digest()
    pipeline = FacePipeline(
        pack_digest=digest,
        detector=_detector(pack, options),
        embedder=_embedder(pack, options),
        landmark_views=pack.landmark_views,
        cut=pack.cut,
    )
    return LoadedPack(pack, pipeline, pipeline.dimension())


def _detector(pack: ModelPack, options: RuntimeOptions) -> FaceDetector:
    """What finds its faces; of a pack that is built on another one, that one's."""
    return _detector(pack.base, options) if pack.base is not None else _DETECTORS[pack.kind](pack, options)


def _embedder(pack: ModelPack, options: RuntimeOptions) -> FaceEmbedder:
    return _EMBEDDERS[pack.kind](pack, options)


def _scrfd(pack: ModelPack, options: RuntimeOptions) -> FaceDetector:
    choice.require(options.demand)
    return insightface.InsightFaceDetector(
        pack.file("detector"),
        minimum_score=MINIMUM_DETECTION_SCORE,
        threads=options.threads_per_call,
        accelerator=options.accelerator,
    )


def _arcface(pack: ModelPack, options: RuntimeOptions) -> FaceEmbedder:
    choice.require(options.demand)
    return insightface.InsightFaceEmbedder(
        pack.file("embedder"), threads=options.threads_per_call, accelerator=options.accelerator
    )


def _yunet(pack: ModelPack, options: RuntimeOptions) -> FaceDetector:
    yunet = _prepared(pack, "detector", opencv_zoo.prepared_yunet, options)
    frame = np.zeros(TYPICAL_FRAME_SHAPE, np.float32)
    return opencv_zoo.YuNetDetector(choice.load(yunet, frame, options), minimum_score=MINIMUM_DETECTION_SCORE)


def _mtcnn(pack: ModelPack, options: RuntimeOptions) -> FaceDetector:
    choice.require(options.demand)
    # Candidates and levels come in any number and size: a runtime that compiles each shape anew would never be done.
    p_net, r_net, o_net = (
        OnnxRuntimeSession(pack.file(role), threads=options.threads_per_call, accelerator=options.accelerator)
        for role in ("detector", "r_net", "o_net")
    )
    return mtcnn.MtcnnDetector(p_net, r_net, o_net, minimum_score=MINIMUM_DETECTION_SCORE)


def _sface(pack: ModelPack, options: RuntimeOptions) -> FaceEmbedder:
    sface = _prepared(pack, "embedder", opencv_zoo.prepared_sface, options)
    return opencv_zoo.SFaceEmbedder(choice.load(sface, np.zeros((1, 3, 112, 112), np.float32), options))


def _head(pack: ModelPack, options: RuntimeOptions) -> FaceEmbedder:
    if pack.base is None:
        raise PackUnavailable(f"The head {pack.name} has no pack below it. Train it again.")
    below = _embedder(pack.base, options)
    side_px = pack.cut.side_px
    dimension = below.embed(np.zeros((1, side_px, side_px, 3), np.uint8)).shape[1]
    session = choice.load(pack.file("head"), np.zeros((1, dimension), np.float32), options)
    return heads.HeadEmbedder(below, session)


def _supplied(pack: ModelPack, options: RuntimeOptions) -> FaceEmbedder:
    if pack.feed is None:
        raise PackInvalid(f"Nothing says how the embedder of {pack.name} is fed.")
    choice.require(options.demand)
    # Always on ONNX Runtime, which knows every operator of the format: nobody edited this graph for another one.
    return supplied.loaded(
        pack.file("embedder"), pack.feed, threads=options.threads_per_call, accelerator=options.accelerator
    )


def _prepared(
    pack: ModelPack, role: Role, edit: Callable[[onnx.ModelProto], onnx.ModelProto], options: RuntimeOptions
) -> Path:
    """The pack's file with that role as our runtimes take it, made once a machine."""
    file = next(file for file in pack.files if file.role == role)
    return choice.prepared(
        file.path,
        model_packs.verified_sha256(file),
        PREPARED_VERSION,
        lambda path: edit(onnx.load(path)).SerializeToString(),
        options.cache_dir,
    )


_DETECTORS: Mapping[Kind, Callable[[ModelPack, RuntimeOptions], FaceDetector]] = {
    "opencv_zoo": _yunet,
    "mtcnn": _mtcnn,
    "insightface": _scrfd,
}

_EMBEDDERS: Mapping[Kind, Callable[[ModelPack, RuntimeOptions], FaceEmbedder]] = {
    "opencv_zoo": _sface,
    "mtcnn": _sface,
    "insightface": _arcface,
    "head": _head,
    "supplied": _supplied,
}
