"""The contract of a camera frame between a session and whichever worker takes it.

A worker keeps nothing between frames: what it must know of the session's tracks comes with the frame,
so any worker may take any frame.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from typing import Protocol

from recognition.decision.matching import CandidateList
from recognition.decision.policy import QualityFault
from recognition.selectors.packs import ActivePack
from recognition.vision.types import BoundingBox, Quality


@dataclasses.dataclass(frozen=True, slots=True)
class TrackHint:
    """What a worker must know of one track.

    Args:
        track_id: the session's name of it.
        box: where it was last seen.
        due: whether its face is to be embedded whatever its quality.
        better_than: quality score above which it is embedded though it is not due.
    """

    track_id: str
    box: BoundingBox
    due: bool
    better_than: float


class SearchKind(enum.StrEnum):
    """Whom a face is compared with."""

    IDENTIFY = "identify"
    VERIFY = "verify"


@dataclasses.dataclass(frozen=True, slots=True)
class SearchScope:
    """By whose policy a frame is looked at, what for, and where.

    Args:
        checkpoint_id: whose policy holds; None for the site's, as on the live page.
        kind: IDENTIFY searches everybody; VERIFY compares with the claimed person and, apart from that,
            searches the deny list.
        person_id: the claimed person; None where nobody has the claimed id.
        reads_codes: whether printed codes are read instead of faces.
        near: boxes around which faces may be looked for instead of everywhere; empty where it has to be everywhere. It
            is everywhere all the same where what is there is not just the faces of these boxes.
        tilt_degrees: how the face seen last was tilted, clockwise; a worker that looks for faces of any tilt begins
            with it.
    """

    checkpoint_id: int | None = None
    kind: SearchKind = SearchKind.IDENTIFY
    person_id: int | None = None
    reads_codes: bool = False
    near: tuple[BoundingBox, ...] = ()
    tilt_degrees: float = 0.0


SITE_WIDE = SearchScope()
"""Everybody, by the site's policy: what the live page asks for."""


@dataclasses.dataclass(frozen=True, slots=True)
class FrameTask:
    """One frame for a worker.

    Args:
        jpeg: the frame as it came.
        hints: the session's tracks.
        received_at: `time.monotonic()` when the frame arrived, in seconds.
        scope: what is looked for.
    """

    jpeg: bytes
    hints: tuple[TrackHint, ...]
    received_at: float
    scope: SearchScope = SITE_WIDE


@dataclasses.dataclass(frozen=True, slots=True)
class SeenFace:
    """One face of a frame.

    Args:
        track_id: the track that it belongs to, None for a face that is new.
        box: where it is, in pixels of the frame.
        quality: what was measured of it.
        faults: gates it does not pass; such a face is not embedded.
        candidates: whom it is like; None when it was not embedded.
        crop_jpeg: the face for people to look at; empty when it was not embedded.
        denied: who of the deny list it is like; None unless a claim was verified.
    """

    track_id: str | None
    box: BoundingBox
    quality: Quality
    faults: tuple[QualityFault, ...]
    candidates: CandidateList | None
    crop_jpeg: bytes
    denied: CandidateList | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class FrameTimings:
    """Milliseconds a frame spent in each step at the worker.

    Args:
        waited: from arrival until a worker took it.
        decode: JPEG to pixels.
        detect: finding and measuring faces.
        embed: placing landmarks, embedding.
        search: the gallery.
        worker: all of the worker's time, without `waited`, and without the time that a frame looked at ahead
            waited for the one before it.
    """

    waited: float = 0.0
    decode: float = 0.0
    detect: float = 0.0
    embed: float = 0.0
    search: float = 0.0
    worker: float = 0.0


class FrameStatus(enum.StrEnum):
    """How a frame ended at the worker; without the database nobody can be searched."""

    ANALYSED = "analysed"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    FAILED = "failed"
    NO_DATABASE = "no_database"


@dataclasses.dataclass(frozen=True, slots=True)
class FrameOutcome:
    """What a worker says of a frame.

    Args:
        status: whether it could be analysed.
        faces: the faces found, empty unless it was analysed.
        active: the pack and policy it was searched with; None unless it was analysed.
        runtime: what ran the networks.
        timings: where the time went.
        codes: texts of the printed codes found; empty unless the scope asked for them.
        everywhere: whether faces were looked for in all of the frame.
    """

    status: FrameStatus
    faces: tuple[SeenFace, ...] = ()
    active: ActivePack | None = None
    runtime: str = ""
    timings: FrameTimings = FrameTimings()
    codes: tuple[str, ...] = ()
    everywhere: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for recognition.

    Args:
        length: frames and photos.
        oldest_s: how long the oldest has waited, in seconds; 0 where none waits.
    """

    length: int
    oldest_s: float


class FrameWorker(Protocol):
    """Takes frames of many sessions."""

    def submit(self, task: FrameTask, done: Callable[[FrameOutcome], None]) -> None:
        """Hands a frame over and returns at once.

        Args:
            task: the frame.
            done: called once, from any thread, when the frame ended in whatever way.
        """

    def prepare(self, jpeg: bytes, scope: SearchScope) -> None:
        """May look at a frame that will be submitted when the one before it is answered; returns at once.

        Args:
            jpeg: the very object that the task will hold.
            scope: what will probably be looked for.
        """

    def backlog(self) -> Backlog:
        """What waits now."""
