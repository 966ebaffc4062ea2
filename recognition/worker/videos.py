"""Who is in a video: its frames go the way of a camera's, with the video's own clock."""

from __future__ import annotations

import collections
import dataclasses
import time
from collections.abc import Callable, Iterator

import numpy as np

from recognition.decision.verdict import Decision
from recognition.live.presence import Presence
from recognition.live.session import Finished, LiveSession, Update
from recognition.services.frames import SITE_WIDE, FrameOutcome, FrameTask, SearchKind, SearchScope, TrackHint
from recognition.vision.videos import Video, VideoFrame
from recognition.worker import processing
from recognition.worker.engine import Engine

ANALYSED_PER_S = 10.0
"""Frames a second that are looked at: as many as of a camera at a door."""


@dataclasses.dataclass(frozen=True, slots=True)
class Watched:
    """One frame of a video and what became of it.

    Args:
        frame: as it is shown.
        outcome: what the worker says; None for a frame that was not looked at.
        update: what the session makes of it; None as above.
    """

    frame: VideoFrame
    outcome: FrameOutcome | None = None
    update: Update | None = None


def watch(video: Video, engine: Engine, *, analysed_per_s: float = ANALYSED_PER_S) -> Iterator[Watched | Finished]:
    """Follows and recognises the faces of a video.

    Args:
        video: just opened.
        engine: what to look with.
        analysed_per_s: frames a second that are looked at, evenly.

    Yields:
        Every frame and, as soon as one is known, every transaction; those that are open at the end come last.

    Raises:
        UnreadableVideo: when it holds no frame.
    """
    session, pace, last_s = LiveSession(), _Pace(analysed_per_s), 0.0
    for frame in video.frames():
        last_s = frame.at_s
        if not pace.takes(frame):
            yield Watched(frame)
            continue
        outcome = _looked(frame, session.hints(frame.at_s), SITE_WIDE, engine)
        update = session.absorb(outcome, frame.at_s)
        yield Watched(frame, outcome, update)
        yield from update.finished
    yield from session.close(last_s)


@dataclasses.dataclass(frozen=True, slots=True)
class VideoComparison:
    """A person against the faces of one track of a video, set to set.

    Args:
        decision: by the mean; None where the pack has no measured thresholds, or nothing was good enough.
        threshold: of a verification; None without one.
        best: similarity of the best frame; None where nothing was good enough.
        mean: of all good frames.
        frames: how many were good.
        first_s: when the track was first seen.
        last_s: when it was last seen.
    """

    decision: Decision | None
    threshold: float | None
    best: float | None = None
    mean: float | None = None
    frames: int = 0
    first_s: float | None = None
    last_s: float | None = None


@dataclasses.dataclass(slots=True)
class _Compared:
    times_s: list[float] = dataclasses.field(default_factory=list)
    similarities: list[float] = dataclasses.field(default_factory=list)

    @property
    def mean(self) -> float:
        return float(np.mean(self.similarities))


def compare(
    video: Video,
    engine: Engine,
    person_id: int,
    *,
    analysed_per_s: float = ANALYSED_PER_S,
    report: Callable[[VideoFrame], None] = lambda frame: None,
) -> VideoComparison:
    """Compares a person with a video: all their samples with every good view of whoever in it is most like them.

    A track's similarity is the mean over its good frames of the one to the nearest sample, so that one lucky frame does
    not decide.

    Args:
        video: just opened.
        engine: what to look with.
        person_id: whom to compare.
        analysed_per_s: frames a second that are looked at.
        report: is told of every one of them once it was, and may raise to end it.

    Raises:
        UnreadableVideo: when it holds no frame.
    """
    tracks: collections.defaultdict[str, _Compared] = collections.defaultdict(_Compared)
    presence, scope = Presence(), SearchScope(kind=SearchKind.VERIFY, person_id=person_id)
    for frame in filter(_Pace(analysed_per_s).takes, video.frames()):
        # Every face is due in every frame: this asks about all good views.
        outcome = _looked(frame, presence.hints(frame.at_s, due=True), scope, engine)
        for track, face in presence.follow(outcome.faces, frame.at_s):
            best = face.candidates.best if face.candidates else None
            if best is not None:
                tracks[track].times_s.append(frame.at_s)
                tracks[track].similarities.append(best.similarity)
        report(frame)
    policy = engine.active.policy
    threshold = policy.verification_threshold if policy else None
    if not tracks:
        return VideoComparison(None, threshold)
    nearest = max(tracks.values(), key=lambda track: track.mean)
    decision = None
    if threshold is not None:
        decision = Decision.ACCEPT if nearest.mean >= threshold else Decision.REJECT_NO_MATCH
    return VideoComparison(
        decision,
        threshold,
        max(nearest.similarities),
        nearest.mean,
        len(nearest.similarities),
        nearest.times_s[0],
        nearest.times_s[-1],
    )


class _Pace:
    """So many frames a second of a video, evenly."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._next_s = 0.0

    def takes(self, frame: VideoFrame) -> bool:
        """Whether the next frame is one of them."""
        if frame.at_s < self._next_s:
            return False
        self._next_s = max(self._next_s + 1.0 / self._per_s, frame.at_s)
        return True


def _looked(frame: VideoFrame, hints: tuple[TrackHint, ...], scope: SearchScope, engine: Engine) -> FrameOutcome:
    look = processing.look_at(frame.image_bgr, scope, engine)
    return processing.process(FrameTask(b"", hints, time.monotonic(), scope), engine, look)
