"""What the subcommands of `faceweb evaluate` share: whose thresholds decide, and images as enrolment sees them."""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import cv2
from django.core.management.base import CommandError, OutputWrapper
from tqdm import tqdm

from recognition import conf
from recognition.decision.policy import Policy
from recognition.evaluation import lfw_protocol
from recognition.evaluation.lfw_protocol import ImageName, InvalidPairsFile, PairsFile
from recognition.management.data_sets import DataSet
from recognition.selectors import packs
from recognition.selectors.packs import ActivePack
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import Embedding, ImageBgr, Quality, Size
from recognition.worker import packs as worker_packs

T = TypeVar("T")


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
    parser.add_argument(
        "--images",
        type=Path,
        required=True,
        metavar="DIR",
        help="a folder for each person, such as DIR/NAME/NAME_0001.jpg",
    )


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Declares which of the images are looked at."""
    parser.add_argument("--pairs", type=Path, metavar="FILE", help="only the images that this file of pairs names")
    parser.add_argument("--limit", type=int, metavar="N", help="only N images, evenly from all of these")


def chosen_images(options: Mapping[str, Any]) -> tuple[ImageName, ...]:
    """The images that the options of `add_choice` choose; `images` of the options is a `DataSet`.

    Raises:
        CommandError: when there is none, or the file cannot be read.
    """
    pairs, images = options["pairs"], options["images"]
    names = images.located(read_pairs(pairs).images()) if pairs else list(images.found())
    limit = options["limit"] or len(names)
    if limit < 1:
        raise CommandError(f"--limit: expected 1 or more, got {limit}.")
    return tuple(names[:: max(len(names) // limit, 1)][:limit])


def read_pairs(path: Path) -> PairsFile:
    """A file of pairs.

    Raises:
        CommandError: when it cannot be read; the text says why.
    """
    try:
        return lfw_protocol.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: expected a text file in UTF-8") from error
    except InvalidPairsFile as error:
        raise CommandError(f"{path}, {error}") from error


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


def tell_unread(unread: Mapping[str, str], out: OutputWrapper) -> None:
    """A line for each file of a data set that could not be read."""
    for path, problem in unread.items():
        out.write(f"{path}: {problem}")


def embedded(
    pipeline: FacePipeline, images: DataSet, wanted: Sequence[ImageName], *, quiet: bool
) -> dict[ImageName, Embedding]:
    """The vectors of the central faces; see `acquired`."""
    return {name: face.embedding for name, face in acquired(pipeline, images, wanted, quiet=quiet).items()}


def acquired(
    pipeline: FacePipeline, images: DataSet, wanted: Sequence[ImageName], *, quiet: bool
) -> dict[ImageName, Acquired]:
    """Embeds the central face of each image.

    Args:
        pipeline: of the pack that is measured.
        images: where they are.
        wanted: which of them.
        quiet: without a progress bar.

    Returns:
        The images in which a face was found; those that cannot be read are not among them.

    Raises:
        CommandError: for an image that is missing.
    """
    found = each_image(pipeline, images, wanted, lambda _, image_bgr: _acquired_of(pipeline, image_bgr), quiet=quiet)
    return {name: face for name, faces in found.items() for face in faces}


def each_image(
    pipeline: FacePipeline,
    images: DataSet,
    wanted: Sequence[ImageName],
    look: Callable[[ImageName, ImageBgr], T],
    *,
    quiet: bool,
) -> dict[ImageName, T]:
    """Does something with each image, in as many threads as there are workers.

    Args:
        pipeline: that it is done with; warmed up first.
        images: where they are.
        wanted: which of them.
        look: what is done; called in any order.
        quiet: without a progress bar.

    Returns:
        What came of it, in the order of the images; those that cannot be read are not among them.

    Raises:
        CommandError: for an image that is missing.
    """
    images.require_all(wanted)
    # OpenCV's own threads would compete with ours for the same cores.
    cv2.setNumThreads(1)
    pipeline.warm_up()

    def looked(name: ImageName) -> tuple[T, ...]:
        return tuple(look(name, image_bgr) for image_bgr in images.read(name))

    with concurrent.futures.ThreadPoolExecutor(conf.worker_threads()) as threads:
        results = threads.map(looked, wanted)
        progress = tqdm(results, total=len(wanted), unit="image", desc="Embedding", disable=quiet or None)
        try:
            return {name: result for name, found in zip(wanted, progress, strict=True) for result in found}
        finally:
            threads.shutdown(cancel_futures=True)


def _acquired_of(pipeline: FacePipeline, image_bgr: ImageBgr) -> tuple[Acquired, ...]:
    """An image's central face; empty when there is no face."""
    faces = pipeline.find(image_bgr, tilt_guess=0.0)
    if not faces:
        return ()
    central = lfw_protocol.central_face(faces, Size.of(image_bgr))
    return tuple(Acquired(face.embedding, face.quality) for face in pipeline.embed(image_bgr, [central]))
