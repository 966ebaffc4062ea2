"""The composition root: from a model pack to a pipeline that runs. Nothing else imports a backend."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx

from recognition import conf
from recognition.vision import model_packs
from recognition.vision.backends import insightface, opencv_zoo
from recognition.vision.errors import PackUnavailable
from recognition.vision.model_packs import ModelPack
from recognition.vision.pipeline import FacePipeline
from recognition.vision.runtimes import choice
from recognition.vision.runtimes.choice import RuntimeOptions

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
    if name_or_folder != model_packs.DEFAULT_PACK_NAME and "/" not in name_or_folder:
        insightface.downloaded(name_or_folder, conf.model_dir())
    return find_local_pack(name_or_folder)


def find_local_pack(name_or_folder: str) -> ModelPack:
    """A pack by name or folder, on this machine only.

    Raises:
        PackUnavailable: when there is no such pack here.
    """
    if name_or_folder == model_packs.DEFAULT_PACK_NAME:
        return model_packs.opencv_zoo_pack()
    is_folder = "/" in name_or_folder
    folder = Path(name_or_folder).expanduser().absolute() if is_folder else conf.model_dir() / name_or_folder
    if not folder.is_dir():
        raise PackUnavailable(f"There is no model pack in {folder}. Name a pack, or the folder of one.")
    return model_packs.insightface_pack(folder)


def load(pack: ModelPack, options: RuntimeOptions) -> LoadedPack:
    """Verifies a pack's files and makes them ready to run.

    Raises:
        PackError: when a file is missing or damaged, or no runtime is installed.
    """
    digest = pack.digest()
    assemble = _opencv_zoo if pack.kind == "opencv_zoo" else _insightface
    pipeline = assemble(pack, digest, options)
    return LoadedPack(pack, pipeline, pipeline.dimension())


def _insightface(pack: ModelPack, digest: str, options: RuntimeOptions) -> FacePipeline:
    choice.require(options.demand)
    threads, accelerator = options.threads_per_call, options.accelerator
    return FacePipeline(
        pack_digest=digest,
        detector=insightface.InsightFaceDetector(
            pack.file("detector"),
            minimum_score=MINIMUM_DETECTION_SCORE,
            threads=threads,
            accelerator=accelerator,
        ),
        embedder=insightface.InsightFaceEmbedder(pack.file("embedder"), threads=threads, accelerator=accelerator),
        landmark_views=pack.landmark_views,
    )


def _opencv_zoo(pack: ModelPack, digest: str, options: RuntimeOptions) -> FacePipeline:
    yunet, sface = (
        choice.prepared(
            file.path,
            model_packs.verified_sha256(file),
            PREPARED_VERSION,
            lambda path, edit=edit: edit(onnx.load(path)).SerializeToString(),  # type: ignore[misc]
            options.cache_dir,
        )
        for file, edit in zip(pack.files, (opencv_zoo.prepared_yunet, opencv_zoo.prepared_sface), strict=True)
    )
    frame = np.zeros(TYPICAL_FRAME_SHAPE, np.float32)
    crop = np.zeros((1, 3, 112, 112), np.float32)
    return FacePipeline(
        pack_digest=digest,
        detector=opencv_zoo.YuNetDetector(choice.load(yunet, frame, options), minimum_score=MINIMUM_DETECTION_SCORE),
        embedder=opencv_zoo.SFaceEmbedder(choice.load(sface, crop, options)),
        landmark_views=pack.landmark_views,
    )
