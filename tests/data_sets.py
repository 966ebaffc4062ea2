"""Small data sets of labelled images, as LFW arranges its own: NAME/NAME_0001.jpg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recognition.vision import geometry
from recognition.vision.types import ImageBgr
from tests import faces

CONTEXTS = (2.0, 2.2, 2.4)
"""How much of a face's surroundings one image after the other of a person shows."""


def write(folder: Path, shown: Mapping[str, Sequence[ImageBgr]]) -> None:
    """Writes the images of each person."""
    for name, images in shown.items():
        (folder / name).mkdir()
        for number, image in enumerate(images, start=1):
            (folder / name / f"{name}_{number:04d}.jpg").write_bytes(faces.jpeg(image))


def of_group(contexts: Mapping[str, Sequence[float]]) -> dict[str, list[ImageBgr]]:
    """Images of people of the group photo, one for each context, the face that is found best first."""
    found = faces.default_pipeline().find(faces.group())
    return {
        name: [geometry.crop_square(faces.group(), face.box, context=context, side_px=250) for context in theirs]
        for (name, theirs), face in zip(contexts.items(), found, strict=False)
    }
