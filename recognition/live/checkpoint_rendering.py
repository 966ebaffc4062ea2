"""Turns what a checkpoint knows into messages that anybody may see."""

from __future__ import annotations

from typing import cast

from recognition.decision.standing import Bar
from recognition.decision.verdict import Decision
from recognition.live import checkpoint_messages as messages
from recognition.live.checkpoint import SHOWN_S, View
from recognition.live.messages import Trouble
from recognition.selectors.checkpoints import CheckpointView
from recognition.selectors.packs import ActivePack, GalleryState
from recognition.services.transactions import Concluded
from recognition.vision.images import FRAME_LIMITS

_UNDECIDED: dict[Decision, messages.Sentence] = {
    Decision.NO_DECISION_QUALITY: "not_seen_well",
    Decision.NO_DECISION_MULTIPLE_FACES: "several_people",
    Decision.NO_DECISION_TIMEOUT: "time_up",
}


def welcome(checkpoint: CheckpointView, *, window: int) -> messages.Welcome:
    """What holds at a checkpoint."""
    return messages.Welcome(
        type="welcome",
        protocol=messages.PROTOCOL_VERSION,
        window=window,
        max_frame_bytes=FRAME_LIMITS.max_bytes,
        name=checkpoint.name,
        place=checkpoint.place,
        mode=cast(messages.Mode, checkpoint.mode),
        needs_pin=checkpoint.requires_pin,
    )


def state(view: View) -> messages.State:
    """Where the transaction stands."""
    return messages.State(
        type="state",
        phase=view.phase.value,
        instruction=cast(messages.Instruction, str(view.instruction)),
        progress=round(view.progress, 2),
        seconds_left=view.seconds_left,
        reads_codes=view.reads_codes,
    )


def conclusion(concluded: Concluded, *, is_claim: bool) -> messages.Conclusion:
    """What a stored decision looks like from outside.

    Args:
        concluded: as it was stored.
        is_claim: whether somebody was claimed.
    """
    outcome, sentence = _worded(concluded, is_claim=is_claim)
    return messages.Conclusion(
        type="conclusion",
        outcome=outcome,
        sentence=sentence,
        person=concluded.person_name if concluded.decision is Decision.ACCEPT else None,
        locked_for_s=concluded.locked_for_s if concluded.decision is Decision.LOCKED_OUT else None,
        shown_s=SHOWN_S,
    )


def failure() -> messages.Conclusion:
    """A decision that could not be made or stored, so nobody is accepted."""
    return messages.Conclusion(
        type="conclusion", outcome="error", sentence="error", person=None, locked_for_s=None, shown_s=SHOWN_S
    )


def result(*, sequence: int, status: str, server_ms: float, window: int, dropped: int) -> messages.Result:
    """The answer to a frame: that it came, and nothing of what it shows."""
    return messages.Result(
        type="result",
        sequence=sequence,
        status=status,  # type: ignore[typeddict-item]  # one of three words of the caller
        timings=messages.ServerTime(server=round(server_ms, 2)),
        window=window,
        dropped=dropped,
    )


def notice(
    checkpoint: CheckpointView, active: ActivePack, gallery: GalleryState, *, trouble: Trouble
) -> messages.Notice:
    """The state of the installation, the gravest first."""
    code = messages.NoticeCode
    if not checkpoint.is_active:
        said = code.OUT_OF_USE
    elif trouble:
        said = code(trouble)
    elif active.policy is None:
        said = code.PACK_WITHOUT_THRESHOLDS
    elif gallery.needs_reembedding:
        said = code.NEEDS_REEMBEDDING
    elif gallery.people == 0:
        said = code.GALLERY_EMPTY
    else:
        said = code.READY
    return messages.Notice(type="notice", code=said.value)


def _worded(concluded: Concluded, *, is_claim: bool) -> tuple[messages.Outcome, messages.Sentence]:
    match concluded.decision:
        case Decision.ACCEPT:
            return "accepted", "welcome"
        case Decision.LOCKED_OUT:
            return "locked_out", "locked_out"
        case Decision.ERROR:
            return "error", "error"
        case Decision.REJECT_NOT_ALLOWED if not any(reason.code == Bar.DENY_LIST for reason in concluded.reasons):
            return "refused", "not_allowed"
        case decision if decision in _UNDECIDED:
            return "undecided", _UNDECIDED[decision]
        case _:
            # The deny list is among these: nobody learns from a kiosk that they are on it.
            return "refused", "not_confirmed" if is_claim else "not_recognised"
