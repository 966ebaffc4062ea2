"""A long recording takes no more memory than a short one."""

from __future__ import annotations

import weakref
from pathlib import Path

import numpy as np
import pytest

from recognition.models import ModelPack
from recognition.selectors import packs
from recognition.vision.videos import Video, VideoFile, VideoFrame
from recognition.worker import recordings
from recognition.worker.engine import Engine
from tests import faces

pytestmark = pytest.mark.django_db

FRAMES = 900


def test_of_a_long_video_three_frames_are_in_memory_at_most(default_pack: ModelPack, tmp_path: Path) -> None:
    path, target = tmp_path / "long.avi", tmp_path / "annotated.webm"
    with VideoFile(path, fps=100) as file:
        for number in range(FRAMES):
            file.write(np.full((48, 64, 3), number % 250, np.uint8))
    seen: list[weakref.ref[object]] = []
    alive: list[int] = []

    def report(frame: VideoFrame) -> None:
        seen.append(weakref.ref(frame.image_bgr))
        alive.append(sum(each() is not None for each in seen[-50:]))

    with Video(path) as video, VideoFile(target, fps=recordings.pace(video)) as out:
        found = recordings.watch(
            video,
            Engine(packs.active(), faces.default_pipeline()),
            decided=lambda finished, first_s: None,
            report=report,
            out=out,
            out_side_px=32,
        )
    assert (found.frames, found.timeline.appearances) == (FRAMES, ())
    assert max(alive) <= 3
    with Video(target) as video:
        pictures = list(video.frames())
    # Nine seconds at thirty a second, from a file that has a hundred.
    assert len(pictures) == pytest.approx(FRAMES * 30 / 100, abs=2)
    assert pictures[0].image_bgr.shape == (24, 32, 3)
