"""People whose faces the dependencies ship, as photos to enrol and as videos for the camera."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests import faces
from tests.browser import camera
from tests.shared_data import LFW_IMAGES, lfw_photo

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


@dataclasses.dataclass(frozen=True, slots=True)
class Somebody:
    """One person of a checkpoint's tests.

    Args:
        name: under which they are enrolled.
        photos: to enrol; none for a stranger.
        seen: another picture of them, (h, w, 3) BGR, for the camera.
    """

    name: str
    photos: tuple[Path, ...]
    seen: NDArray[np.uint8]


@dataclasses.dataclass(frozen=True, slots=True)
class Cast:
    """Who comes to a checkpoint.

    Args:
        owner: enrolled, with an id.
        banned: enrolled, and on the deny list.
        stranger: not enrolled.
    """

    owner: Somebody
    banned: Somebody
    stranger: Somebody


def cast(folder: Path) -> Cast:
    """Different photos of three people where the shared faces are present, else what the dependencies ship."""
    if LFW_IMAGES.is_dir():
        return Cast(
            owner=_of_lfw("Wu Yi", (1, 2), 3),
            banned=_of_lfw("Clint Eastwood", (3, 5), 6),
            stranger=_of_lfw("Queen Sofia", (), 1),
        )
    banned = np.ascontiguousarray(faces.group()[250:430, 427:607])
    return Cast(
        owner=Somebody(ASTRONAUT, (astronaut_photo(folder),), _astronaut_seen()),
        banned=Somebody("Banned", (_file(folder / "banned.jpg", faces.jpeg(banned)),), _darker(banned)),
        stranger=Somebody("Stranger", (), _stranger()),
    )


def _of_lfw(name: str, enrolled: tuple[int, ...], seen: int) -> Somebody:
    folder = name.replace(" ", "_")
    picture = np.asarray(cv2.imread(str(lfw_photo(folder, seen))), np.uint8)
    return Somebody(name, tuple(lfw_photo(folder, number) for number in enrolled), picture)


def _darker(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray((picture[:, ::-1] * 0.85).astype(np.uint8))


def card(text: str) -> NDArray[np.uint8]:
    """A card with a QR code, as large as a face is shown."""
    code = cv2.QRCodeEncoder.create().encode(text)
    side = camera.FACE_SIDE_PX
    drawn = np.asarray(cv2.resize(code, (side, side), interpolation=cv2.INTER_NEAREST), np.uint8)
    return np.ascontiguousarray(np.repeat(drawn[:, :, None], 3, axis=2))


def _astronaut_seen() -> NDArray[np.uint8]:
    return _darker(faces.astronaut()[0:300, 80:380])


def _stranger() -> NDArray[np.uint8]:
    """One of the six of the group photo."""
    return np.ascontiguousarray(faces.group()[125:305, 230:410])


def _video(path: Path, scenes: list[list[NDArray[np.uint8]]], seconds_a_scene: float) -> Path:
    return camera.video(path, scenes, seconds_a_scene=seconds_a_scene)


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
