"""What the subcommands of `faceweb evaluate` share: whose thresholds decide, and images as enrolment sees them."""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import cv2
from django.core.management.base import CommandError
from tqdm import tqdm

from recognition import conf
from recognition.decision.policy import Policy
from recognition.evaluation import lfw_protocol
from recognition.evaluation.lfw_protocol import ImageName
from recognition.selectors import packs
from recognition.selectors.packs import ActivePack
from recognition.vision import images
from recognition.vision.errors import VisionError
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import Embedding, Quality, Size
from recognition.worker import packs as worker_packs

_IMAGE_NAME = re.compile(r"(?P<person>.+)_(?P<number>\d{4})\.jpg")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Acquired:
    """What is kept of an image's face.

    Args:
        embedding: its vector.
        quality: with its scores.
    """

    embedding: Embedding
    quality: Quality


def add_images(parser: argparse.ArgumentParser) -> None:
    """Declares where the images are."""
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="images, as DIR/NAME/NAME_0001.jpg")


def deciding() -> tuple[ActivePack, Policy, FacePipeline]:
    """The pack in use with the policy in force, ready to run.

    Raises:
        CommandError: when the pack has no measured thresholds.
        PackError: when it cannot be loaded here.
    """
    worker_packs.ensure_active()
    active = packs.active()
    if active.policy is None:
        raise CommandError(
            f"The pack {active.name} has no measured thresholds. Measure them first: "
            "`faceweb evaluate pairs ... --all-pairs --record`."
        )
    loaded, _ = worker_packs.load_and_register(active.location or active.name)
    return active, active.policy, loaded.pipeline


def found_images(folder: Path) -> tuple[ImageName, ...]:
    """Every image of a data set, by name.

    Args:
        folder: of all images, as FOLDER/NAME/NAME_0001.jpg.

    Raises:
        CommandError: when there is none.
    """
    names = []
    for path in folder.glob("*/*.jpg"):
        match = _IMAGE_NAME.fullmatch(path.name)
        if match and match["person"] == path.parent.name:
            names.append(ImageName(match["person"], int(match["number"])))
    if not names:
        raise CommandError(f"{folder} holds no image that is called NAME/NAME_0001.jpg.")
    return tuple(sorted(names))


def embedded(
    pipeline: FacePipeline, folder: Path, wanted: Sequence[ImageName], *, quiet: bool
) -> dict[ImageName, Embedding]:
    """The vectors of the central faces; see `acquired`."""
    return {name: face.embedding for name, face in acquired(pipeline, folder, wanted, quiet=quiet).items()}


def acquired(
    pipeline: FacePipeline, folder: Path, wanted: Sequence[ImageName], *, quiet: bool
) -> dict[ImageName, Acquired]:
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
    found: dict[ImageName, Acquired] = {}
    with concurrent.futures.ThreadPoolExecutor(conf.worker_threads()) as threads:
        results = threads.map(lambda name: _acquired_of(pipeline, folder / name.path), wanted)
        progress = tqdm(results, total=len(wanted), unit="image", desc="Embedding", disable=quiet or None)
        try:
            for name, faces in zip(wanted, progress, strict=True):
                found.update((name, face) for face in faces)
        except VisionError as error:
            raise CommandError(str(error)) from error
        finally:
            threads.shutdown(cancel_futures=True)
    return found


def _acquired_of(pipeline: FacePipeline, path: Path) -> tuple[Acquired, ...]:
    """An image's central face; empty when there is no face."""
    try:
        image_bgr = images.decode(path.read_bytes())
    except VisionError as error:
        raise type(error)(f"{path}: {error}") from error
    faces = pipeline.find(image_bgr)
    if not faces:
        return ()
    central = lfw_protocol.central_face(faces, Size.of(image_bgr))
    return tuple(Acquired(face.embedding, face.quality) for face in pipeline.embed(image_bgr, [central]))
