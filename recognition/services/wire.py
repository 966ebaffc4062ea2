"""Frames and their outcomes as bytes, for workers in other processes.

MessagePack, because half of a message is JPEG bytes; field by field, because a message from another
host is input like any other: a wrong one raises `WireError`, and no code of it is ever run.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgpack
import numpy as np

from recognition.decision.matching import Candidate, CandidateList, Objection, Strategy
from recognition.decision.policy import Policy, QualityFault, QualityGates, SampleReason
from recognition.decision.standing import Bar
from recognition.selectors.packs import ActivePack
from recognition.services.analysis import AnalyserUnavailable
from recognition.services.frames import (
    SITE_WIDE,
    FrameOutcome,
    FrameStatus,
    FrameTask,
    FrameTimings,
    SearchKind,
    SearchScope,
    SeenFace,
    TrackHint,
)
from recognition.vision.errors import UnreadableImage, VisionError
from recognition.vision.types import (
    BoundingBox,
    DetectedFace,
    EmbeddedFace,
    Embedding,
    Landmarks,
    Quality,
    QualityScores,
)

Message = TypeVar("Message")


class WireError(Exception):
    """The bytes are not a message of this version of the product."""


class PhotoStatus(enum.StrEnum):
    """How a photo ended at the worker."""

    ANALYSED = "analysed"
    UNREADABLE = "unreadable"
    FAILED = "failed"


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """A frame or a photo on its way to a worker.

    Args:
        id: what the reply is known by.
        reply_to: the list that waits for the reply.
        sent_at: `time.time()` of the sender, in seconds.
        frame: hints of a frame; None for a photo.
        image: the file.
        scope: what a frame is looked at for.
        waited_s: how long the frame had waited at the sender.
        was_ahead: whether the image is the one that was sent ahead on this lane, and left out here.
    """

    id: str
    reply_to: str
    sent_at: float
    frame: tuple[TrackHint, ...] | None
    image: bytes
    scope: SearchScope = SITE_WIDE
    waited_s: float = 0.0
    was_ahead: bool = False

    def task(self, taken_at: float) -> FrameTask:
        """The frame as a task of the worker that took it, at `time.monotonic()`."""
        return FrameTask(self.image, self.frame or (), taken_at - self.waited_s, self.scope)


@dataclasses.dataclass(frozen=True, slots=True)
class Ahead:
    """A frame to look at before it is asked about, on the same lane; nobody replies to it.

    Args:
        image: the file.
        scope: what will probably be looked for.
    """

    image: bytes
    scope: SearchScope


@dataclasses.dataclass(frozen=True, slots=True)
class PhotoOutcome:
    """What a worker says of a photo.

    Args:
        status: whether it could be analysed.
        faces: the largest first.
    """

    status: PhotoStatus
    faces: tuple[EmbeddedFace, ...] = ()

    def faces_or_error(self, unavailable: str) -> tuple[EmbeddedFace, ...]:
        """The faces, for whoever asked for them.

        Args:
            unavailable: what to say when the worker failed.

        Raises:
            UnreadableImage: when it is not an image.
            AnalyserUnavailable: when the worker failed.
        """
        if self.status is PhotoStatus.FAILED:
            raise AnalyserUnavailable(unavailable)
        if self.status is PhotoStatus.UNREADABLE:
            raise UnreadableImage("The worker could not decode the photo.")
        return self.faces


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """A worker's answer.

    Args:
        id: of the request.
        outcome: of the frame or of the photo.
    """

    id: str
    outcome: FrameOutcome | PhotoOutcome


def encode(message: Request | Ahead | Reply) -> bytes:
    """The message as bytes."""
    packed: bytes = msgpack.packb(message, default=_plain)
    return packed


def decode_request(data: bytes | str) -> Request:
    """The inverse of `encode`.

    Raises:
        WireError: for anything else.
    """
    return _read(data, _request)


def decode_lane_message(data: bytes | str) -> Request | Ahead:
    """The inverse of `encode`, for what comes on a lane.

    Raises:
        WireError: for anything else.
    """
    return _read(data, _lane_message)


def decode_reply(data: bytes | str) -> Reply:
    """The inverse of `encode`.

    Raises:
        WireError: for anything else.
    """
    return _read(data, _reply)


def _plain(value: Any) -> Any:
    if isinstance(value, ActivePack):
        return _packed(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _by_field(value)
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "float32": value.astype("<f4").tobytes()}
    raise TypeError(f"expected a value of the wire, got {type(value).__name__}")


def _by_field(value: Any) -> dict[str, Any]:
    # Not `asdict`, which copies every JPEG and array on the way.
    return {name: getattr(value, name) for name in _fields(value.__class__)}


@functools.cache
def _fields(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


@functools.lru_cache(maxsize=64)
def _packed(active: ActivePack) -> bytes:
    """A pack with its policy, by itself: half of the values of most outcomes, and the same until it is changed."""
    packed: bytes = msgpack.packb(_by_field(active), default=_plain)
    return packed


def _read(data: bytes | str, build: Callable[[Any], Message]) -> Message:
    problem = "expected a message of this version of faceweb: update every process together"
    try:
        raw = msgpack.unpackb(data)
    except (ValueError, msgpack.UnpackException) as error:
        raise WireError(problem) from error
    try:
        return build(raw)
    except (ValueError, KeyError, TypeError, AttributeError, VisionError, msgpack.UnpackException) as error:
        raise WireError(problem) from error


def _request(raw: Mapping[str, Any]) -> Request:
    hints = raw["frame"]
    return Request(
        id=str(raw["id"]),
        reply_to=str(raw["reply_to"]),
        sent_at=float(raw["sent_at"]),
        frame=None if hints is None else tuple(_hint(hint) for hint in hints),
        image=bytes(raw["image"]),
        scope=_scope(raw["scope"]),
        waited_s=float(raw["waited_s"]),
        was_ahead=bool(raw["was_ahead"]),
    )


def _lane_message(raw: Mapping[str, Any]) -> Request | Ahead:
    return _request(raw) if "id" in raw else Ahead(bytes(raw["image"]), _scope(raw["scope"]))


def _scope(raw: Mapping[str, Any]) -> SearchScope:
    near = tuple(BoundingBox(**box) for box in raw["near"])
    return SearchScope(**{**raw, "kind": SearchKind(raw["kind"]), "near": near})


def _reply(raw: Mapping[str, Any]) -> Reply:
    outcome = raw["outcome"]
    if "active" in outcome:
        return Reply(str(raw["id"]), _frame_outcome(outcome))
    faces = tuple(_embedded(face) for face in outcome["faces"])
    return Reply(str(raw["id"]), PhotoOutcome(PhotoStatus(outcome["status"]), faces))


def _hint(raw: Mapping[str, Any]) -> TrackHint:
    return TrackHint(**{**raw, "box": BoundingBox(**raw["box"])})


def _frame_outcome(raw: Mapping[str, Any]) -> FrameOutcome:
    return FrameOutcome(
        status=FrameStatus(raw["status"]),
        faces=tuple(_seen(face) for face in raw["faces"]),
        active=None if raw["active"] is None else _active(bytes(raw["active"])),
        runtime=str(raw["runtime"]),
        timings=FrameTimings(**raw["timings"]),
        codes=tuple(str(code) for code in raw["codes"]),
        everywhere=bool(raw["everywhere"]),
    )


def _seen(raw: Mapping[str, Any]) -> SeenFace:
    return SeenFace(
        track_id=raw["track_id"],
        box=BoundingBox(**raw["box"]),
        quality=_quality(raw["quality"]),
        faults=tuple(QualityFault(**{**fault, "reason": SampleReason(fault["reason"])}) for fault in raw["faults"]),
        candidates=_candidates(raw["candidates"]),
        crop_jpeg=bytes(raw["crop_jpeg"]),
        denied=_candidates(raw["denied"]),
    )


def _quality(raw: Mapping[str, Any]) -> Quality:
    scores = raw["scores"]
    return Quality(**{**raw, "scores": None if scores is None else QualityScores(**scores)})


def _candidates(raw: Mapping[str, Any] | None) -> CandidateList | None:
    if raw is None:
        return None
    objection = raw["objection"]
    return CandidateList(
        tuple(_candidate(candidate) for candidate in raw["people"]), None if objection is None else Objection(objection)
    )


def _candidate(raw: Mapping[str, Any]) -> Candidate:
    barred = raw["barred"]
    return Candidate(**{**raw, "barred": None if barred is None else Bar(barred)})


@functools.lru_cache(maxsize=64)
def _active(packed: bytes) -> ActivePack:
    raw = msgpack.unpackb(packed)
    policy = raw["policy"]
    return ActivePack(**{**raw, "policy": None if policy is None else _policy(policy)})


def _policy(raw: Mapping[str, Any]) -> Policy:
    return Policy(**{**raw, "gates": QualityGates(**raw["gates"]), "strategy": Strategy(raw["strategy"])})


def _embedded(raw: Mapping[str, Any]) -> EmbeddedFace:
    face, embedding = raw["face"], raw["embedding"]
    return EmbeddedFace(
        face=DetectedFace(
            BoundingBox(**face["box"]),
            Landmarks(_array(face["landmarks"]["points_xy"])),
            float(face["score"]),
            float(face["tilt_degrees"]),
        ),
        quality=_quality(raw["quality"]),
        embedding=Embedding(_array(embedding["vector"]), str(embedding["pack_digest"])),
        crop_jpeg=bytes(raw["crop_jpeg"]),
    )


def _array(raw: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    # A copy: a view of the message's bytes could not be written, and would keep all of it in memory.
    return np.frombuffer(raw["float32"], dtype="<f4").reshape(raw["shape"]).astype(np.float32)
