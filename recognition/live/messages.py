"""The live protocol: what a page and the server say to each other over one websocket.

Text messages are JSON objects with a `type`. Camera frames are binary: a header of 16 bytes, then
a JPEG. `static/js/messages.js` is the other side of this file; a test compares the two.

The page opens with `hello`. The server answers `welcome` or an `error` followed by a close. Then
the page sends frames, never more in flight than the server's `window`, and gets one `result` for
every frame: analysed, or dropped because a newer one came. Sentences are made where they are
shown: messages carry codes and parameters.
"""

from __future__ import annotations

import dataclasses
import enum
import struct
from typing import Literal, TypedDict

PROTOCOL_VERSION = 1

FRAME_HEADER = struct.Struct("<IdI")
"""Little endian: sequence (uint32), capture time in ms of the page's clock (float64), link time in
microseconds (uint32): the last round trip less the time the server had the frame, 0 before the
first result."""

MAX_WINDOW = 3
"""Frames in flight at most, on a long link."""


class CloseCode(enum.IntEnum):
    """Why the server ends a connection; the range 4000..4999 is left to applications by RFC 6455."""

    NOT_AUTHENTICATED = 4401
    NOT_PERMITTED = 4403
    FOREIGN_ORIGIN = 4404
    NOT_PAIRED = 4405
    NO_SUCH_CHECKPOINT = 4406
    HELLO_TIMEOUT = 4408
    OPENED_ELSEWHERE = 4409
    UNSUPPORTED_PROTOCOL = 4410
    FRAME_TOO_LARGE = 4413
    MALFORMED = 4415
    TOO_FAST = 4429
    SERVER_ERROR = 4500
    OVERLOADED = 4503
    DATABASE_UNAVAILABLE = 4504
    SERVER_STOPPED = 4512


class ErrorCode(enum.StrEnum):
    """What went wrong, as the page's texts name it."""

    NOT_AUTHENTICATED = "not_authenticated"
    NOT_PERMITTED = "not_permitted"
    FOREIGN_ORIGIN = "foreign_origin"
    NOT_PAIRED = "not_paired"
    NO_SUCH_CHECKPOINT = "no_such_checkpoint"
    HELLO_TIMEOUT = "hello_timeout"
    OPENED_ELSEWHERE = "opened_elsewhere"
    UNSUPPORTED_PROTOCOL = "unsupported_protocol"
    FRAME_TOO_LARGE = "frame_too_large"
    MALFORMED = "malformed"
    TOO_FAST = "too_fast"
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    DATABASE_UNAVAILABLE = "database_unavailable"
    SERVER_STOPPED = "server_stopped"


class NoticeCode(enum.StrEnum):
    """A state of the installation that the operator must know of while the camera runs."""

    READY = "ready"
    GALLERY_EMPTY = "gallery_empty"
    NEEDS_REEMBEDDING = "needs_reembedding"
    PACK_WITHOUT_THRESHOLDS = "pack_without_thresholds"
    WORKER_UNAVAILABLE = "worker_unavailable"
    DATABASE_UNAVAILABLE = "database_unavailable"


Trouble = Literal["", "worker_unavailable", "database_unavailable"]
"""A notice that a frame tells of, whose code every protocol has; empty when frames are analysed."""

FaceState = Literal["deciding", "known", "unknown"]
Advice = Literal[
    "",
    "no_face",
    "face_too_small",
    "low_sharpness",
    "too_dark",
    "too_bright",
    "extreme_pose",
    "face_clipped",
    "low_detection_score",
]


class Hello(TypedDict):
    """Page to server, first message."""

    type: Literal["hello"]
    protocol: int


class Welcome(TypedDict):
    """Server to page, once: what holds for this session."""

    type: Literal["welcome"]
    protocol: int
    window: int
    max_frame_bytes: int
    policy_version: int
    pack: str
    votes_needed: int
    votes_of: int


class Box(TypedDict):
    """A face box in pixels of the frame that was sent, left upper corner first."""

    x: float
    y: float
    width: float
    height: float


class Person(TypedDict):
    """Whom a face was recognised as, or is most like."""

    id: int
    name: str


class Face(TypedDict):
    """One tracked face of a frame.

    `person` is set for a known face only; `similarity` is that of the last vote's best candidate,
    null before the first vote. `votes` counts the votes cast for the leading answer.
    """

    track: str
    box: Box
    state: FaceState
    person: Person | None
    similarity: float | None
    votes: int
    advice: Advice


class Timings(TypedDict):
    """Milliseconds that the frame spent in each step; `server` is all of its time at the server."""

    waited: float
    decode: float
    detect: float
    embed: float
    search: float
    worker: float
    server: float


class Result(TypedDict):
    """Server to page, one for every frame sent.

    `status` is "analysed", "dropped" (a newer frame took its place), or "failed" (not an image).
    `embedded` counts the faces that were embedded in this frame; the others only moved on. `everywhere` is false where
    faces were looked for only around those that are followed.
    """

    type: Literal["result"]
    sequence: int
    status: Literal["analysed", "dropped", "failed"]
    faces: list[Face]
    embedded: int
    everywhere: bool
    timings: Timings
    window: int
    dropped: int


class Decision(TypedDict):
    """Server to page, when a track's decision is final and its event is stored."""

    type: Literal["decision"]
    track: str
    event: int
    time: str
    decision: str
    person: Person | None
    similarity: float | None
    margin: float | None


class Notice(TypedDict):
    """Server to page, whenever the state of the installation changes."""

    type: Literal["notice"]
    code: str
    people: int


class Alert(TypedDict):
    """Server to page, when somebody of the deny list was met, and when the last such alert was dealt with.

    Sent only to users who may see alerts. `open` counts the alerts that nobody has acknowledged; the others
    tell of the newest of them and are 0 and empty when there is none.
    """

    type: Literal["alert"]
    open: int
    event: int
    place: str
    time: str


class Error(TypedDict):
    """Server to page, right before the server closes with the code of the same name."""

    type: Literal["error"]
    code: str


ServerMessage = Welcome | Result | Decision | Notice | Alert | Error


class MalformedMessage(Exception):
    """A message of the page that the protocol does not allow; the text says which and why."""


@dataclasses.dataclass(frozen=True, slots=True)
class CameraFrame:
    """One binary message of the page.

    Args:
        sequence: number of the frame, 0..2**32 - 1, rising.
        capture_time_ms: when the page took it, by the page's clock.
        link_us: the page's last measurement of the link, 0 before the first result.
        jpeg: the image file.
    """

    sequence: int
    capture_time_ms: float
    link_us: int
    jpeg: bytes

    @classmethod
    def parse(cls, data: bytes) -> CameraFrame:
        """Reads a binary message.

        Raises:
            MalformedMessage: when it is too short to hold a header and an image.
        """
        if len(data) <= FRAME_HEADER.size:
            raise MalformedMessage(f"frame: expected more than {FRAME_HEADER.size} bytes, got {len(data)}")
        sequence, capture_time_ms, link_us = FRAME_HEADER.unpack_from(data)
        return cls(sequence, capture_time_ms, link_us, data[FRAME_HEADER.size :])

    def pack(self) -> bytes:
        """The binary message; the inverse of `parse`."""
        return FRAME_HEADER.pack(self.sequence, self.capture_time_ms, self.link_us) + self.jpeg


def parse_hello(message: object) -> Hello:
    """Checks the page's first message.

    Args:
        message: the decoded JSON.

    Raises:
        MalformedMessage: for anything but a `hello` with a whole protocol number.
    """
    match message:
        case {"type": "hello", "protocol": int(protocol)} if not isinstance(protocol, bool):
            return Hello(type="hello", protocol=protocol)
        case _:
            raise MalformedMessage("expected a hello with a protocol number first")
