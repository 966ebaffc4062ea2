"""People whose faces the dependencies ship, as photos to enrol and as videos for the camera."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests import faces
from tests.browser import camera

ASTRONAUT = "Eileen Collins"


def astronaut_photo(folder: Path) -> Path:
    """A photo of the astronaut."""
    return _file(folder / "astronaut.jpg", faces.jpeg(faces.astronaut()))


def group_photo(folder: Path) -> Path:
    """A photo of six people."""
    return _file(folder / "group.jpg", faces.jpeg(faces.group()))


def photo_of_nobody(folder: Path) -> Path:
    """A photo without a face."""
    return _file(folder / "bricks.jpg", faces.jpeg(faces.textures()["brick"]))


def no_photo(folder: Path) -> Path:
    """A file that is named like a photo and is none."""
    return _file(folder / "broken.jpg", b"this is no picture")


def too_large(folder: Path) -> Path:
    """A file over the limit of 20 MB."""
    path = folder / "large.jpg"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 20 * 2**20 + 1)
    return path


def astronaut_video(folder: Path, *, seconds_a_scene: float = 4.0) -> Path:
    """The astronaut, as another picture than the one that is enrolled: closer, darker, mirrored."""
    return _video(folder / "astronaut.mjpeg", [[_astronaut_seen()]], seconds_a_scene)


def astronaut_and_stranger_video(folder: Path) -> Path:
    """The astronaut beside somebody who is not enrolled."""
    return _video(folder / "two.mjpeg", [[_astronaut_seen(), _stranger()]], 4.0)


def _astronaut_seen() -> NDArray[np.uint8]:
    closer = faces.astronaut()[0:300, 80:380]
    return np.ascontiguousarray((closer[:, ::-1] * 0.85).astype(np.uint8))


def _stranger() -> NDArray[np.uint8]:
    """One of the six of the group photo."""
    return np.ascontiguousarray(faces.group()[125:305, 230:410])


def _video(path: Path, scenes: list[list[NDArray[np.uint8]]], seconds_a_scene: float) -> Path:
    return camera.video(path, scenes, seconds_a_scene=seconds_a_scene)


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
