"""The checkpoint protocol: what a kiosk page and the server say to each other over one websocket.

Hello, frames, window and close codes are those of the live protocol (`messages`); the rest is here, and
`static/js/kiosk/messages.js` is the other side of it; a test compares the two.

A kiosk stands where anybody can look at it and at what it is sent. So nothing here tells who the nearest
person was, whether an id exists, whether PIN or face was wrong, or that somebody is on the deny list.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Literal, TypedDict

from recognition.live.messages import MalformedMessage

PROTOCOL_VERSION = 1

MAX_ID_CHARACTERS = 100
MAX_PIN_CHARACTERS = 32


class NoticeCode(enum.StrEnum):
    """A state of the installation that whoever stands there must know of."""

    READY = "ready"
    OUT_OF_USE = "out_of_use"
    PACK_WITHOUT_THRESHOLDS = "pack_without_thresholds"
    NEEDS_REEMBEDDING = "needs_reembedding"
    GALLERY_EMPTY = "gallery_empty"
    WORKER_UNAVAILABLE = "worker_unavailable"
    DATABASE_UNAVAILABLE = "database_unavailable"


Mode = Literal["identify", "verify", "both"]
Phase = Literal["ready", "claim", "looking", "result"]
Instruction = Literal[
    "",
    "stand_in_front",
    "come_closer",
    "look_at_camera",
    "one_person_only",
    "more_light",
    "less_light",
    "hold_still",
    "move_into_picture",
    "keep_looking",
    "step_away",
]
Outcome = Literal["accepted", "refused", "undecided", "locked_out", "error"]
Sentence = Literal[
    "welcome",
    "not_recognised",
    "not_confirmed",
    "not_allowed",
    "not_seen_well",
    "several_people",
    "time_up",
    "locked_out",
    "error",
]


class Claim(TypedDict):
    """Page to server: somebody says who they are. `pin` is empty where none is asked for."""

    type: Literal["claim"]
    external_id: str
    pin: str


class EnterId(TypedDict):
    """Page to server: somebody began to enter an id, so nobody is identified meanwhile."""

    type: Literal["enter_id"]


class Cancel(TypedDict):
    """Page to server: the id is not entered, or the claim not kept up."""

    type: Literal["cancel"]


class Welcome(TypedDict):
    """Server to page, after the hello and when the checkpoint was changed: what holds here."""

    type: Literal["welcome"]
    protocol: int
    window: int
    max_frame_bytes: int
    name: str
    place: str
    mode: Mode
    needs_pin: bool


class State(TypedDict):
    """Server to page, whenever it changes: where the transaction stands.

    `progress` is 0..1; `seconds_left` until the time is up, null where no time runs; `reads_codes` whether
    the frames are searched for printed codes and for nothing else.
    """

    type: Literal["state"]
    phase: Phase
    instruction: Instruction
    progress: float
    seconds_left: int | None
    reads_codes: bool


class Scanned(TypedDict):
    """Server to page: the camera has read a code. The page makes the claim, with a PIN where one is needed."""

    type: Literal["scanned"]
    external_id: str


class Conclusion(TypedDict):
    """Server to page, once the decision is stored.

    `person` is the name of somebody who was accepted; `locked_for_s` is null where no time is to be waited
    for; `shown_s` is how long the answer stays.
    """

    type: Literal["conclusion"]
    outcome: Outcome
    sentence: Sentence
    person: str | None
    locked_for_s: float | None
    shown_s: float


class ServerTime(TypedDict):
    """Milliseconds that a frame was at the server."""

    server: float


class Result(TypedDict):
    """Server to page, one for every frame sent; it says nothing of what was seen."""

    type: Literal["result"]
    sequence: int
    status: Literal["analysed", "dropped", "failed"]
    timings: ServerTime
    window: int
    dropped: int


class Notice(TypedDict):
    """Server to page, whenever the state of the installation changes."""

    type: Literal["notice"]
    code: str


class Error(TypedDict):
    """Server to page, right before the server closes with the code of the same name."""

    type: Literal["error"]
    code: str


ServerMessage = Welcome | State | Scanned | Conclusion | Result | Notice | Error


@dataclasses.dataclass(frozen=True, slots=True)
class Claimed:
    """A claim as it came, with a representation that hides the PIN.

    Args:
        external_id: without blanks around it.
        pin: empty where none was given.
    """

    external_id: str
    pin: str = dataclasses.field(repr=False)


def parse(message: object) -> Claimed | Literal["enter_id", "cancel"]:
    """Reads a text message of the page after its hello.

    Args:
        message: the decoded JSON.

    Raises:
        MalformedMessage: for anything else; its text repeats nothing of the message.
    """
    match message:
        case {"type": "claim", "external_id": str(external_id), "pin": str(pin)}:
            # PostgreSQL takes no NUL, and nothing unprintable is typed or scanned.
            if not 0 < len(external_id.strip()) <= MAX_ID_CHARACTERS or not external_id.strip().isprintable():
                raise MalformedMessage(f"claim: expected an id of 1 to {MAX_ID_CHARACTERS} printable characters")
            if len(pin) > MAX_PIN_CHARACTERS or not pin.isprintable():
                raise MalformedMessage(f"claim: expected a PIN of up to {MAX_PIN_CHARACTERS} printable characters")
            return Claimed(external_id.strip(), pin)
        case {"type": "enter_id"}:
            return "enter_id"
        case {"type": "cancel"}:
            return "cancel"
        case _:
            raise MalformedMessage("expected a claim, enter_id or cancel")
