"""The people of the benchmark: who is enrolled, and who walks past the cameras.

Faces come from the LFW images of the shared data where those are, else from the group photo that
insightface ships; a gallery larger than the faces at hand is filled up with vectors around theirs.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import insightface.data
import numpy as np

from recognition.vision import geometry, images
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import EmbeddedFace, Embedding, ImageBgr

WALKERS = 6
"""People who pass the cameras in turn: every second one is enrolled, the others are strangers."""

GROUP_PHOTO = "t1"
"""InsightFace's sample image of six people."""

PORTRAIT_CONTEXT = 2.2
"""Side of a portrait over the longer side of its face box, about that of LFW's images."""

PORTRAIT_SIDE_PX = 250
"""Side of a portrait, that of LFW's images."""

INVENTED_SIMILARITY = 0.3
"""Similarity of an invented person to the real one they are invented around: two people who look alike."""

SEED = 20_260_101

Photo = Callable[[], ImageBgr]
"""A photo that is read when it is needed: a gallery of 1,000 people does not fit comfortably into memory."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Cast:
    """Everybody in the benchmark.

    Args:
        walkers: portraits of those who pass the cameras, (h, w, 3) uint8 BGR each.
        faces: enrolled faces of real people, with what was measured of them.
        invented: vectors of enrolled people without a face.
    """

    walkers: tuple[ImageBgr, ...]
    faces: tuple[EmbeddedFace, ...]
    invented: tuple[Embedding, ...]


def cast(pipeline: FacePipeline, lfw: Path | None, *, enrolled: int, threads: int) -> Cast:
    """Chooses the people and embeds those who are enrolled.

    Args:
        pipeline: of the pack that the gallery is for.
        lfw: folder of `NAME/NAME_0001.jpg`; None takes the shipped faces.
        enrolled: size of the gallery.
        threads: images embedded at the same time.
    """
    references, walkers = _shipped(pipeline) if lfw is None else _lfw(lfw, enrolled)
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        embedded = pool.map(lambda photo: _embedded(pipeline, photo()), references[:enrolled])
        faces = tuple(face for found in embedded for face in found)
    invented = _invented([face.embedding for face in faces], enrolled - len(faces))
    return Cast(tuple(photo() for photo in walkers), faces, invented)


def _lfw(folder: Path, enrolled: int) -> tuple[list[Photo], list[Photo]]:
    """Photos to enrol, the walkers' first, and the walkers: known ones with another photo of theirs."""
    people = sorted(path for path in folder.iterdir() if path.is_dir())
    with_two = [person for person in people if len(list(person.glob("*.jpg"))) > 1]
    known = with_two[: WALKERS // 2]
    others = [person for person in people if person not in known]
    # From the other end of the alphabet than the enrolled ones.
    strangers = others[-(WALKERS - len(known)) :]
    gallery = [*known, *others[: -len(strangers)]][:enrolled]
    seen = [photo for pair in zip(known, strangers, strict=False) for photo in (_file(pair[0], 1), _file(pair[1], 0))]
    return [_file(person, 0) for person in gallery], seen


def _file(person: Path, index: int) -> Photo:
    path = sorted(person.glob("*.jpg"))[index]
    return lambda: images.decode(path.read_bytes())


def _shipped(pipeline: FacePipeline) -> tuple[list[Photo], list[Photo]]:
    group = np.asarray(insightface.data.get_image(GROUP_PHOTO), np.uint8)
    portraits = [
        _constant(geometry.crop_square(group, face.box, context=PORTRAIT_CONTEXT, side_px=PORTRAIT_SIDE_PX))
        for face in pipeline.find(group)
    ]
    return portraits[::2], portraits[:WALKERS]


def _constant(image_bgr: ImageBgr) -> Photo:
    return lambda: image_bgr


def _embedded(pipeline: FacePipeline, image_bgr: ImageBgr) -> tuple[EmbeddedFace, ...]:
    """The image's best face; empty where none is found."""
    return pipeline.embed(image_bgr, pipeline.find(image_bgr)[:1])


def _invented(real: Sequence[Embedding], count: int) -> tuple[Embedding, ...]:
    """People who do not exist, each at a set similarity to a real one."""
    random = np.random.default_rng(SEED)
    people = []
    for number in range(count):
        around = real[number % len(real)]
        direction = random.standard_normal(around.dimension).astype(np.float32)
        direction -= around.vector * (direction @ around.vector)
        direction *= np.sqrt(1 - INVENTED_SIMILARITY**2) / np.linalg.norm(direction)
        people.append(Embedding.from_raw(INVENTED_SIMILARITY * around.vector + direction, around.pack_digest))
    return tuple(people)
