"""Small videos for tests: somebody comes and goes before a grey wall."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recognition.vision.types import ImageBgr
from recognition.vision.videos import VideoFile
from tests import faces

FPS = 10
NOBODY: ImageBgr = np.full((480, 640, 3), 90, np.uint8)


def scene(face: ImageBgr, x: int) -> ImageBgr:
    """A face at a place of a frame."""
    frame = NOBODY.copy()
    frame[100 : 100 + face.shape[0], x : x + face.shape[1]] = face
    return frame


def of_the_astronaut(path: Path) -> Path:
    """Nobody, then the astronaut who moves, then nobody: two and a half seconds."""
    face = faces.astronaut()[:300, 80:380]
    with VideoFile(path, fps=FPS) as file:
        for number in range(25):
            is_there = 5 <= number < 18
            file.write(scene(face, 40 + 8 * number) if is_there else NOBODY)
    return path


def of_nobody(path: Path, frames: int = 5) -> Path:
    """An empty room."""
    with VideoFile(path, fps=FPS) as file:
        for _ in range(frames):
            file.write(NOBODY)
    return path
