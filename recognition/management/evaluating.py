"""What the subcommands of `faceweb evaluate` share: whose thresholds decide, and images as enrolment sees them."""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import cv2
from django.core.management.base import CommandError
from tqdm import tqdm

from recognition import conf, wording
from recognition.decision.policy import Policy
from recognition.evaluation import lfw_protocol
from recognition.evaluation.lfw_protocol import ImageName, InvalidPairsFile, PairsFile
from recognition.importing import entries
from recognition.selectors import packs
from recognition.selectors.packs import ActivePack
from recognition.vision import images
from recognition.vision.errors import ImageError, VisionError
from recognition.vision.images import STILL_LIMITS
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import Embedding, ImageBgr, Quality, Size
from recognition.worker import packs as worker_packs

T = TypeVar("T")

_IMAGE_NAME = re.compile(r"(?P<person>.+)_(?P<number>\d{4})", re.ASCII)


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
    """The images that the options of `add_choice` choose.

    Raises:
        CommandError: when there is none, or the file cannot be read.
    """
    pairs, folder = options["pairs"], options["images"]
    names = located(folder, read_pairs(pairs).images()) if pairs else list(found_images(folder))
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


def found_images(folder: Path) -> tuple[ImageName, ...]:
    """Every image of a data set: a folder for each person, with their images.

    Images that are called NAME_0001 have the number that they say; where no image of a person is called so, theirs are
    numbered by name. Hidden files and folders are left out.

    Args:
        folder: of all images, as FOLDER/NAME/IMAGE.

    Raises:
        CommandError: when there is none.
    """
    try:
        people = [path for path in sorted(folder.iterdir()) if path.is_dir() and entries.is_meant(path.name)]
        names = [name for person in people for name in _images_of(person)]
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from error
    if not names:
        raise CommandError(f"{folder} holds no folder of a person with images, as NAME/NAME_0001.jpg.")
    return tuple(sorted(names))


def _images_of(person: Path) -> list[ImageName]:
    files = sorted(
        path.name for path in person.iterdir() if entries.is_image(path.name) and entries.is_meant(path.name)
    )
    numbered: dict[int, str] = {}
    for file in files:
        match = _IMAGE_NAME.fullmatch(Path(file).stem)
        if match and match["person"] == person.name:
            numbered.setdefault(int(match["number"]), file)
    if not numbered:
        numbered = dict(enumerate(files, start=1))
    return [ImageName(person.name, number, file) for number, file in numbered.items()]


def unread(folder: Path) -> dict[str, str]:
    """The images of a data set that cannot be read, by path, and why; whoever measures goes on without them.

    Args:
        folder: see `found_images`.
    """
    problems = ((name.path, _problem(folder / name.path)) for name in found_images(folder))
    return {path: problem for path, problem in problems if problem}


def _problem(path: Path) -> str:
    """Why an image cannot be read, by its header; empty where it can."""
    try:
        images.require_bytes_within(STILL_LIMITS, path.stat().st_size)
        images.read_header(path.read_bytes())
    except OSError as error:
        return f"The file cannot be read: {error.strerror}."
    except ImageError as error:
        return wording.fault_sentence(wording.image_fault(error))
    return ""


def located(folder: Path, wanted: Iterable[ImageName]) -> list[ImageName]:
    """Images of a pairs file with the files that they are here; those that are not here as they came.

    Args:
        folder: see `found_images`.
        wanted: by person and number.
    """
    here = {name: name for person in {name.person for name in wanted} for name in _images_here(folder / person)}
    return sorted(here.get(name, name) for name in wanted)


def _images_here(person: Path) -> list[ImageName]:
    return _images_of(person) if person.is_dir() else []


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
        folder: of all images, as `found_images` takes it.
        wanted: which of them.
        quiet: without a progress bar.

    Returns:
        The images in which a face was found; those that `unread` names are not among them.

    Raises:
        CommandError: for an image that is missing, or damaged behind its header.
    """
    found = each_image(pipeline, folder, wanted, lambda _, image_bgr: _acquired_of(pipeline, image_bgr), quiet=quiet)
    return {name: face for name, faces in found.items() for face in faces}


def each_image(
    pipeline: FacePipeline,
    folder: Path,
    wanted: Sequence[ImageName],
    look: Callable[[ImageName, ImageBgr], T],
    *,
    quiet: bool,
) -> dict[ImageName, T]:
    """Does something with each image, in as many threads as there are workers.

    Args:
        pipeline: that it is done with; warmed up first.
        folder: of all images, as `found_images` takes it.
        wanted: which of them.
        look: what is done; called in any order.
        quiet: without a progress bar.

    Returns:
        What came of it, in the order of the images; those that `unread` names are not among them.

    Raises:
        CommandError: for an image that is missing, or damaged behind its header.
    """
    missing = [name for name in wanted if not (folder / name.path).is_file()]
    if missing:
        raise CommandError(f"{len(missing)} of {len(wanted)} images are not in {folder}, such as {missing[0].path}.")
    readable = [name for name in wanted if not _problem(folder / name.path)]
    # OpenCV's own threads would compete with ours for the same cores.
    cv2.setNumThreads(1)
    pipeline.warm_up()
    with concurrent.futures.ThreadPoolExecutor(conf.worker_threads()) as threads:
        results = threads.map(lambda name: look(name, decoded(folder / name.path)), readable)
        progress = tqdm(results, total=len(readable), unit="image", desc="Embedding", disable=quiet or None)
        try:
            return dict(zip(readable, progress, strict=True))
        finally:
            threads.shutdown(cancel_futures=True)


def image_file(folder: Path, name: ImageName) -> Path:
    """Where an image of a data set is.

    Raises:
        CommandError: when it is not there.
    """
    path = folder / name.path
    if not path.is_file():
        raise CommandError(f"{name.path} is not in {folder}.")
    return path


def decoded(path: Path) -> ImageBgr:
    """An image of a data set.

    Raises:
        CommandError: when it cannot be read; the text names it.
    """
    try:
        return images.decode(path.read_bytes())
    except VisionError as error:
        raise CommandError(f"{path}: {error}") from error


def _acquired_of(pipeline: FacePipeline, image_bgr: ImageBgr) -> tuple[Acquired, ...]:
    """An image's central face; empty when there is no face."""
    faces = pipeline.find(image_bgr, tilt_guess=0.0)
    if not faces:
        return ()
    central = lfw_protocol.central_face(faces, Size.of(image_bgr))
    return tuple(Acquired(face.embedding, face.quality) for face in pipeline.embed(image_bgr, [central]))
