"""A recording from its first frame to its last: who is in it, what was decided, and its picture with names."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from recognition.live.session import FaceView, Finished
from recognition.live.timeline import Timeline
from recognition.vision import geometry
from recognition.vision.types import Size
from recognition.vision.videos import Video, VideoFile, VideoFrame
from recognition.worker import video_pictures, videos
from recognition.worker.engine import Engine

MOST_FPS = 30.0
"""Frames a second that are written: some files call their clock, of a thousand ticks a second, their pace."""


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What a video showed.

    Args:
        frames: that were read.
        duration_s: when the last one is shown.
        broke_off: whether the file is cut off or broken before its end.
        timeline: who was seen.
    """

    frames: int
    duration_s: float
    broke_off: bool
    timeline: Timeline


Decided = Callable[[Finished, float], None]
"""Is told of a transaction and of when its face was first seen, in seconds from the beginning."""


def pace(video: Video) -> float:
    """Frames a second that an annotated copy of it has."""
    return min(video.fps, MOST_FPS)


def watch(
    video: Video,
    engine: Engine,
    *,
    decided: Decided,
    report: Callable[[VideoFrame], None],
    out: VideoFile | None = None,
    out_side_px: int | None = None,
    analysed_per_s: float = videos.ANALYSED_PER_S,
) -> Found:
    """Follows and recognises the faces of a video; in memory are one frame and what was seen of each face.

    Args:
        video: just opened.
        engine: what to look with.
        decided: see `Decided`.
        report: is told of every frame once it was dealt with, and may raise to end it.
        out: gets every frame with boxes and names.
        out_side_px: the longer side that these frames have at most; as they are where left out.
        analysed_per_s: frames a second that are looked at, evenly; the others are shown with the boxes of the last one.

    Raises:
        UnreadableVideo: when it holds no frame.
        ValueError: when the copy cannot be written.
    """
    timeline, duration_s = Timeline(), 0.0
    views: tuple[FaceView, ...] = ()
    size: Size | None = None
    for each in videos.watch(video, engine, analysed_per_s=analysed_per_s):
        if isinstance(each, Finished):
            decided(each, timeline.decide(each))
            continue
        duration_s = each.frame.at_s
        if each.update is not None and each.outcome is not None:
            views = each.update.faces
            timeline.see(each.frame.at_s, views, each.outcome.faces)
        if out is not None:
            picture = video_pictures.annotated(each.frame.image_bgr, views)
            size = size or _reduced(Size.of(picture), out_side_px)
            # Recordings of calls change their size on the way; a file has one.
            out.write(geometry.stretched(picture, size), at_s=each.frame.at_s)
        report(each.frame)
    return Found(video.frames_read, duration_s, video.broke_off, timeline)


def _reduced(size: Size, side_px: int | None) -> Size:
    share = min((side_px or math.inf) / max(size.width, size.height), 1.0)
    return Size(max(round(size.width * share), 1), max(round(size.height * share), 1))
