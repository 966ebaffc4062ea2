"""What the subcommands of `faceweb evaluate` share: images as enrolment sees them, embedded."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Sequence
from pathlib import Path

import cv2
from django.core.management.base import CommandError
from tqdm import tqdm

from recognition import conf
from recognition.evaluation import lfw_protocol
from recognition.evaluation.lfw_protocol import ImageName
from recognition.vision import images
from recognition.vision.errors import VisionError
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import Embedding, Size


def embedded(
    pipeline: FacePipeline, folder: Path, wanted: Sequence[ImageName], *, quiet: bool
) -> dict[ImageName, Embedding]:
    """Embeds the central face of each image.

    Args:
        pipeline: of the pack that is measured.
        folder: of all images, as FOLDER/NAME/NAME_0001.jpg.
        wanted: which of them.
        quiet: without a progress bar.

    Returns:
        The images in which a face was found.

    Raises:
        CommandError: for an image that is missing or cannot be read.
    """
    missing = [name for name in wanted if not (folder / name.path).is_file()]
    if missing:
        raise CommandError(f"{len(missing)} of {len(wanted)} images are not in {folder}, such as {missing[0].path}.")
    # OpenCV's own threads would compete with ours for the same cores.
    cv2.setNumThreads(1)
    pipeline.warm_up()
    found: dict[ImageName, Embedding] = {}
    with concurrent.futures.ThreadPoolExecutor(conf.worker_threads()) as threads:
        results = threads.map(lambda name: _embeddings_of(pipeline, folder / name.path), wanted)
        progress = tqdm(results, total=len(wanted), unit="image", desc="Embedding", disable=quiet or None)
        try:
            for name, embeddings in zip(wanted, progress, strict=True):
                found.update((name, embedding) for embedding in embeddings)
        except VisionError as error:
            raise CommandError(str(error)) from error
        finally:
            threads.shutdown(cancel_futures=True)
    return found


def _embeddings_of(pipeline: FacePipeline, path: Path) -> tuple[Embedding, ...]:
    """The embedding of an image's central face; empty when there is no face."""
    try:
        image_bgr = images.decode(path.read_bytes())
    except VisionError as error:
        raise type(error)(f"{path}: {error}") from error
    faces = pipeline.find(image_bgr)
    if not faces:
        return ()
    central = lfw_protocol.central_face(faces, Size.of(image_bgr))
    return tuple(face.embedding for face in pipeline.embed(image_bgr, [central]))
