"""`faceweb evaluate tilted`: whether faces tilted by any angle are found, and stay the same faces."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.management.base import CommandError

from recognition import wiring
from recognition.evaluation import lfw_protocol, tilted
from recognition.evaluation.tilted import ANGLES, Row, Sight
from recognition.management import evaluating
from recognition.vision import geometry, model_packs
from recognition.vision.errors import PackError
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import DetectedFace, EmbeddedFace, ImageBgr, Size

SMALL_FACES_PX = (80, 60, 40)

PROFILE_DEGREES = 30.0
"""A face that is turned further shows little of its other half."""

SAME_FACE_IOU = 0.3
"""A find that overlaps the true place less is of something else."""

PROFILE = "profile"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    evaluating.add_images(parser)
    evaluating.add_choice(parser)
    parser.add_argument(
        "--pack", default=model_packs.DEFAULT_PACK_NAME, metavar="NAME", help="model pack (default: %(default)s)"
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
    try:
        loaded = wiring.load(wiring.find_pack(options["pack"]), wiring.runtime_options())
    except PackError as error:
        raise CommandError(str(error)) from error
    pipeline = loaded.pipeline
    numbered = {name: number for number, name in enumerate(names)}
    seen = evaluating.each_image(
        pipeline,
        options["images"],
        names,
        lambda name, image_bgr: tuple(_seen(pipeline, image_bgr, numbered[name])),
        quiet=options["json"],
    )
    sights: dict[str, list[Sight]] = collections.defaultdict(list)
    for row, sight in itertools.chain.from_iterable(seen.values()):
        sights[row].append(sight)
    order = [*map(str, ANGLES), PROFILE, *map(_small, SMALL_FACES_PX)]
    rows = {row: Row.of(sights[row]) for row in order}
    acquired = sum(map(bool, seen.values()))
    measured = _Measured(
        loaded.pack.name, pipeline.pack_digest, pipeline.runtime, len(names), acquired, rows, time.monotonic() - begin
    )
    return measured.as_json(), measured.words()


def _seen(pipeline: FacePipeline, image_bgr: ImageBgr, number: int) -> Iterator[tuple[str, Sight]]:
    """The central face of an image at every angle; nothing for an image without a face."""
    faces = pipeline.find(image_bgr, tilt_guess=0.0)
    if not faces:
        return
    (upright,) = pipeline.embed(image_bgr, [lfw_protocol.central_face(faces, Size.of(image_bgr))])
    is_profile = abs(upright.quality.yaw_degrees) >= PROFILE_DEGREES
    for angle in ANGLES:
        sight = _sight(pipeline, image_bgr, upright, upright.face, angle)
        yield str(angle), sight
        if is_profile:
            yield PROFILE, sight
    for size in SMALL_FACES_PX:
        scale = size / upright.face.box.shorter_side
        if scale < 1.0:
            # One angle an image, all angles in turn: the other rows tell the angles apart.
            small = geometry.resized(image_bgr, scale)
            angle = ANGLES[number % len(ANGLES)]
            yield _small(size), _sight(pipeline, small, upright, upright.face.transformed(scale=scale), angle)


def _sight(
    pipeline: FacePipeline, image_bgr: ImageBgr, upright: EmbeddedFace, face: DetectedFace, angle: float
) -> Sight:
    """One face of an image that is turned clockwise."""
    turned = geometry.turned(image_bgr, -angle)
    size, canvas = Size.of(image_bgr), Size.of(turned)
    true = geometry.turned_back(face, angle, (size.width / 2, size.height / 2)).transformed(
        scale=1.0, dx=(canvas.width - size.width) / 2, dy=(canvas.height - size.height) / 2
    )
    begin = time.perf_counter()
    faces = pipeline.find(turned, tilt_guess=0.0)
    search_ms = (time.perf_counter() - begin) * 1e3
    found = tilted.nearest(faces, true, least_iou=SAME_FACE_IOU)
    if found is None:
        return Sight(search_ms)
    (seen,) = pipeline.embed(turned, [found])
    error = tilted.landmark_error(seen.face.landmarks, true.landmarks)
    return Sight(search_ms, error, upright.embedding.similarity(seen.embedding))


def _small(size_px: int) -> str:
    return f"{size_px} px"


@dataclasses.dataclass(frozen=True, slots=True)
class _Measured:
    pack: str
    digest: str
    runtime: str
    images: int
    acquired: int
    rows: Mapping[str, Row]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "not_acquired": self.images - self.acquired,
            "most_landmark_error": tilted.MOST_LANDMARK_ERROR,
            "least_similarity": tilted.LEAST_SIMILARITY,
            "rows": {name: _row_json(row) for name, row in self.rows.items()},
            "pack": {"name": self.pack, "digest": self.digest},
            "runtime": self.runtime,
            "seconds": round(self.seconds, 1),
        }

    def words(self) -> str:
        lines = [
            f"{'Model pack':<24}{self.pack} ({self.digest[:12]})",
            f"{'Runtime':<24}{self.runtime}",
            f"{'Images':<24}{self.images:,}",
            f"{'Images not acquired':<24}{self.images - self.acquired:,}",
            f"{'Time':<24}{self.seconds:.1f} s",
            "",
            f"{'Tilted by':<14}{'Faces':<8}{'Found':<10}{'Landmarks':<11}{'Vector':<10}{'Both':<10}Search",
        ]
        return "\n".join([*lines, *(_words(name, row) for name, row in self.rows.items())])


def _row_json(row: Row) -> dict[str, Any]:
    shares = {name: _share(getattr(row, name), row) for name in ("found", "placed", "alike", "right")}
    return {"faces": row.faces, **shares, "search_ms": round(row.search_ms, 1)}


def _share(count: int, row: Row) -> float | None:
    return round(count / row.faces, 5) if row.faces else None


def _words(name: str, row: Row) -> str:
    counts: Sequence[int] = (row.found, row.placed, row.alike, row.right)
    found, placed, alike, right = (f"{count / row.faces:.2%}" if row.faces else "-" for count in counts)
    label = f"{name} degrees" if name.isdecimal() else name
    return f"{label:<14}{row.faces:<8,}{found:<10}{placed:<11}{alike:<10}{right:<10}{row.search_ms:.1f} ms"
