"""`faceweb evaluate detector`: what the detectors of several packs find in the same images."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.core.management.base import CommandError
from numpy.typing import NDArray
from tqdm import tqdm

from recognition import wiring
from recognition.evaluation import detection, lfw_protocol
from recognition.importing import entries
from recognition.management import evaluating
from recognition.management.data_sets import DataSet
from recognition.vision import model_packs
from recognition.vision.errors import PackError
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import LANDMARK_COUNT, ImageBgr, Size
from recognition.wiring import LoadedPack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    evaluating.add_images(parser)
    evaluating.add_choice(parser)
    parser.add_argument(
        "--pack",
        action="append",
        metavar="NAME",
        help=f"a pack whose detector is looked at, once for each (default: {', '.join(model_packs.SHIPPED_PACKS)})",
    )
    parser.add_argument(
        "--without-faces", type=Path, metavar="DIR", help="also count what is found in pictures without a face"
    )


def run(options: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Measures.

    Returns:
        The result for --json, and in words.

    Raises:
        CommandError: when it cannot be measured; the text says why.
    """
    begin = time.monotonic()
    names = evaluating.chosen_images(options)
    data_set: DataSet = options["images"]
    data_set.require_all(names)
    # Before the first detector looks: all of them have to see the same images.
    photos = [name for name in names if data_set.read(name)]
    if not photos:
        raise CommandError(f"None of the {len(names)} images can be read.")
    pictures = _pictures(data_set, options["without_faces"]) if options["without_faces"] else []
    # One search at a time, each on one thread: otherwise they would be timed waiting for each other.
    cv2.setNumThreads(1)
    seen = []
    for name in dict.fromkeys(options["pack"] or model_packs.SHIPPED_PACKS):
        try:
            loaded = wiring.load(wiring.find_pack(name), wiring.runtime_options())
        except PackError as error:
            raise CommandError(str(error)) from error
        loaded.pipeline.warm_up()
        progress = tqdm(photos, unit="image", desc=loaded.pack.name, disable=options["json"] or None)
        looks = [_look(loaded.pipeline, image_bgr) for name in progress for image_bgr in data_set.read(name)]
        seen.append(_seen(loaded, looks, pictures))
    measured = _Measured(tuple(seen), len(photos), len(pictures), time.monotonic() - begin)
    return measured.as_json(), measured.words()


def _pictures(data_set: DataSet, folder: Path) -> list[ImageBgr]:
    """The pictures of a folder that can be read; the data set remembers the others."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file()] if folder.is_dir() else []
    found = [image_bgr for path in files if entries.is_meant(path.name) for image_bgr in data_set.read_file(path)]
    if not found:
        raise CommandError(f"{folder} holds no picture that can be read.")
    return found


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What one pack's detector made of the images.

    Args:
        pack: its name.
        digest: of the pack.
        runtime: what ran it.
        landmarks: (n, 5, 2) float32, those that the central face is aligned by; NaN where none was found.
        search_ms: (n,) float64.
        false_finds: faces found in pictures without one.
        false_finds_turned: the same where they are searched any way up.
    """

    pack: str
    digest: str
    runtime: str
    landmarks: NDArray[np.float32]
    search_ms: NDArray[np.float64]
    false_finds: int
    false_finds_turned: int

    @property
    def found(self) -> int:
        return int(np.isfinite(self.landmarks[:, 0, 0]).sum())


def _seen(
    loaded: LoadedPack, looks: Sequence[tuple[NDArray[np.float32], float]], pictures: Sequence[ImageBgr]
) -> _Seen:
    pipeline = loaded.pipeline
    landmarks, search_ms = zip(*looks, strict=True)
    return _Seen(
        loaded.pack.name,
        pipeline.pack_digest,
        pipeline.runtime,
        np.stack(landmarks),
        np.array(search_ms),
        _finds(pipeline, pictures, None),
        _finds(pipeline, pictures, 0.0),
    )


def _look(pipeline: FacePipeline, image_bgr: ImageBgr) -> tuple[NDArray[np.float32], float]:
    begin = time.perf_counter()
    faces = pipeline.find(image_bgr)
    search_ms = (time.perf_counter() - begin) * 1e3
    if not faces:
        return np.full((LANDMARK_COUNT, 2), np.nan, np.float32), search_ms
    (face,) = pipeline.embed(image_bgr, [lfw_protocol.central_face(faces, Size.of(image_bgr))])
    return face.face.landmarks.points_xy, search_ms


def _finds(pipeline: FacePipeline, pictures: Sequence[ImageBgr], tilt_guess: float | None) -> int:
    return sum(len(pipeline.find(picture, tilt_guess=tilt_guess)) for picture in pictures)


@dataclasses.dataclass(frozen=True, slots=True)
class _Measured:
    seen: tuple[_Seen, ...]
    images: int
    pictures: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        errors = detection.landmark_errors({each.digest: each.landmarks for each in self.seen})
        return {
            "images": self.images,
            "pictures_without_faces": self.pictures,
            "detectors": [_as_json(each, errors[each.digest]) for each in self.seen],
            "seconds": round(self.seconds, 1),
        }

    def words(self) -> str:
        values = self.as_json()
        lines = [
            f"{'Images':<28}{self.images:,}",
            f"{'Pictures without a face':<28}{self.pictures:,}",
            f"{'Time':<28}{self.seconds:.1f} s",
            "",
            "Landmark error: mean distance from the mean of the other detectors' landmarks, over the eye distance",
            f"{'Pack':<20}{'Found':<11}{'Error, median':<16}{'95th pct.':<12}{'Search, median':<17}{'95th pct.':<12}"
            "False finds (any way up)",
        ]
        for each in values["detectors"]:
            error, search_ms = each["landmark_error"], each["search_ms"]
            lines.append(
                f"{each['pack']['name']:<20}{each['found']:<11.2%}{_percent(error['median']):<16}"
                f"{_percent(error['p95']):<12}{search_ms['median']:<5.1f}{'ms':<12}{search_ms['p95']:<5.1f}{'ms':<7}"
                f"{each['false_finds']} ({each['false_finds_any_way_up']})"
            )
        lines += ["", *(f"{each.pack} runs on {each.runtime}" for each in self.seen)]
        return "\n".join(lines)


def _as_json(seen: _Seen, errors: NDArray[np.float64]) -> dict[str, Any]:
    median, p95 = np.percentile(seen.search_ms, (50, 95)).tolist()
    return {
        "pack": {"name": seen.pack, "digest": seen.digest},
        "runtime": seen.runtime,
        "found": round(seen.found / len(seen.search_ms), 5),
        "landmark_error": {name: _quantile(errors, share) for name, share in (("median", 50), ("p95", 95))},
        "search_ms": {"median": round(median, 1), "p95": round(p95, 1)},
        "false_finds": seen.false_finds,
        "false_finds_any_way_up": seen.false_finds_turned,
    }


def _quantile(errors: NDArray[np.float64], percent: float) -> float | None:
    """Of the images in which all detectors found a face; None where there is none."""
    known = errors[np.isfinite(errors)]
    return round(float(np.percentile(known, percent)), 4) if len(known) else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
