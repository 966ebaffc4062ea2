"""One transaction at a checkpoint, from the claim to the stored decision."""

from __future__ import annotations

import dataclasses

from django.contrib.auth.models import User

from recognition.decision.transaction import Conclusion
from recognition.decision.verdict import Decision, Reason
from recognition.selectors.packs import ActivePack
from recognition.services.frames import FrameTimings


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Who brought the transaction about.

    Args:
        user: whose browser shows the page; None for a kiosk.
        device_id: primary key of the kiosk; None for a user's browser.
    """

    user: User | None
    device_id: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class ClaimInProgress:
    """Who somebody says they are; the face is looked at next.

    Args:
        person_id: primary key of the claimed person; None where nobody has that id, which is not said
            before the face was looked at.
        external_id: as it was typed or scanned.
        pin_ok: whether the PIN was right; None when none was given or the person has none.
    """

    person_id: int | None
    external_id: str
    pin_ok: bool | None


@dataclasses.dataclass(frozen=True, slots=True)
class Concluded:
    """The end of a transaction, stored; what is shown is this and nothing else.

    Args:
        event_id: primary key of the record.
        decision: how it ended.
        reasons: why; empty for an accept.
        person_name: of the person who was accepted; None for every other decision.
        locked_for_s: seconds until the claimed person may be claimed again; None without a delay, and
            where staff must lift the lock.
    """

    event_id: int
    decision: Decision
    reasons: tuple[Reason, ...]
    person_name: str | None
    locked_for_s: float | None


def open_claim(*, checkpoint_id: int, external_id: str, pin: str | None, origin: Origin) -> ClaimInProgress | Concluded:
    """Takes a claim; one of a person who is locked out is recorded and ends here."""
    raise NotImplementedError


def conclude(
    *,
    checkpoint_id: int,
    claim: ClaimInProgress | None,
    conclusion: Conclusion,
    active: ActivePack,
    crop_jpeg: bytes,
    timings: FrameTimings,
    runtime: str,
    duration_s: float,
    origin: Origin,
) -> Concluded:
    """Makes the decision of what the face says and what the database says now, and stores it."""
    raise NotImplementedError
