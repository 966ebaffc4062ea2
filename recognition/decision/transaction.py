"""One transaction at a checkpoint, from the first look to the final word; time is passed in.

`Transaction` collects votes from analysed frames and ends in a `Conclusion`: what the face says.
`conclude` holds that against what the database says now and gives the `Verdict`. Nothing else may
open a door.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum

from recognition.decision import verdict, voting
from recognition.decision.matching import Candidate
from recognition.decision.policy import Policy, QualityFault, SampleReason
from recognition.decision.standing import Bar, Standing
from recognition.decision.verdict import Decision, Reason, TransactionReason, Vote
from recognition.decision.voting import VoteRecord
from recognition.vision.types import Quality

RECENT_S = 1.0
"""How long what was seen last still describes the place: shorter gaps are blinks of the detector."""


class Instruction(enum.StrEnum):
    """The one thing that the person before the camera should do now."""

    STAND_IN_FRONT = "stand_in_front"
    COME_CLOSER = "come_closer"
    LOOK_AT_CAMERA = "look_at_camera"
    ONE_PERSON_ONLY = "one_person_only"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    HOLD_STILL = "hold_still"
    MOVE_INTO_PICTURE = "move_into_picture"
    KEEP_LOOKING = "keep_looking"


_MENDED_BY = {
    SampleReason.FACE_TOO_SMALL: Instruction.COME_CLOSER,
    SampleReason.FACE_CLIPPED: Instruction.MOVE_INTO_PICTURE,
    SampleReason.TOO_DARK: Instruction.MORE_LIGHT,
    SampleReason.TOO_BRIGHT: Instruction.LESS_LIGHT,
    SampleReason.LOW_SHARPNESS: Instruction.HOLD_STILL,
    SampleReason.LOW_DETECTION_SCORE: Instruction.LOOK_AT_CAMERA,
    SampleReason.EXTREME_POSE: Instruction.LOOK_AT_CAMERA,
}
"""What mends each gate of `QualityGates`."""


class TransactionOver(Exception):
    """The transaction has ended; what is seen now belongs to the next one."""


@dataclasses.dataclass(frozen=True, slots=True)
class FaceSighting:
    """One face of a frame.

    Args:
        is_same_as_before: whether the tracker says that this is the face which the transaction's last
            vote came from. Two faces of one frame cannot both be. It means nothing before the first
            vote.
        faults: gates that it does not pass; such a face is no person who stands there.
        vote: what its embedding says, judged by the transaction's policy; None when not embedded.
        quality: what was measured of it.
        size_px: shorter side of its box, in pixels.
    """

    is_same_as_before: bool
    faults: tuple[QualityFault, ...]
    vote: Vote | None
    quality: Quality
    size_px: float


@dataclasses.dataclass(frozen=True, slots=True)
class Sighting:
    """One analysed frame.

    Args:
        faces: every face found in it, in any order.
    """

    faces: tuple[FaceSighting, ...]

    @property
    def usable(self) -> tuple[FaceSighting, ...]:
        """The faces that pass every gate."""
        return tuple(face for face in self.faces if not face.faults)


@dataclasses.dataclass(frozen=True, slots=True)
class Conclusion:
    """How the looking ended; `conclude` makes the verdict of it.

    Args:
        decision: what the votes, or the lack of them, say.
        leading: the vote that stands for it; None without votes.
        votes: the votes that count, oldest first.
        reasons: why; empty for an accept.
        set_aside: votes from before a change of face or of policy, oldest first; kept, and counted no more.
        is_claim: whether it was a verification. By keyword, because a threshold depends on it.
    """

    decision: Decision
    leading: Vote | None
    votes: tuple[VoteRecord, ...]
    reasons: tuple[Reason, ...]
    set_aside: tuple[VoteRecord, ...] = ()
    is_claim: bool = dataclasses.field(kw_only=True)


class Transaction:
    """One person before a checkpoint, until k of the last n votes agree or the time is up."""

    def __init__(self, policy: Policy, *, is_claim: bool, started_s: float) -> None:
        """Starts the clock.

        Args:
            policy: whose k, n and time-out hold.
            is_claim: whether somebody claimed to be a person (verification).
            started_s: a monotonic clock, in seconds; the same for every later call.
        """
        self._policy = policy
        self._is_claim = is_claim
        self._started_s = started_s
        self._votes: list[VoteRecord] = []
        self._set_aside: list[VoteRecord] = []
        self._is_over = False
        self._last_faces = Sighting(())
        self._last_faces_s = started_s
        self._has_seen_usable = False
        self._shows_several = False
        self._several_s: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, with or without a conclusion."""
        return self._is_over

    def see(self, sighting: Sighting, now_s: float) -> Conclusion | None:
        """Takes an analysed frame in.

        A frame that comes when the time is up counts no more, so a stream that stalled cannot complete
        votes of minutes ago.

        Returns:
            The conclusion when this frame, or the time, ends the transaction.

        Raises:
            TransactionOver: after the end.
        """
        late = self.timed_out(now_s)
        if late is not None:
            return late
        self._remember(sighting, now_s)
        usable = sighting.usable
        if len(usable) > 1 or _may_be_somebody_else(sighting):
            # Votes of two people must never add up.
            self._start_anew()
        if len(usable) != 1 or usable[0].vote is None:
            return None
        at_ms = (now_s - self._started_s) * 1e3
        self._votes.append(VoteRecord(at_ms, usable[0].vote, usable[0].quality))
        decided = voting.decided(self._cast(), self._policy)
        if decided is None:
            return None
        return self._end(decided.decision, verdict.reasons(decided, self._policy, is_claim=self._is_claim), decided)

    def timed_out(self, now_s: float) -> Conclusion | None:
        """Ends the transaction when its time is up; for when no frame comes.

        Raises:
            TransactionOver: after the end.
        """
        self._require_running()
        if now_s - self._started_s < self._policy.timeout_s:
            return None
        reason = TransactionReason
        if self._several_s is not None and (self._shows_several or now_s - self._several_s <= RECENT_S):
            return self._end(Decision.NO_DECISION_MULTIPLE_FACES, (Reason(reason.SEVERAL_FACES),))
        if not self._last_faces.faces:
            return self._end(Decision.NO_DECISION_TIMEOUT, (Reason(reason.NO_FACE),))
        if not self._has_seen_usable:
            faults = tuple(Reason.of_fault(fault) for fault in _largest(self._last_faces).faults)
            return self._end(Decision.NO_DECISION_QUALITY, faults)
        _, agreeing = voting.leading(self._cast(), self._policy)
        too_few = Reason(reason.VOTES_DISAGREE, agreeing, self._policy.votes_needed)
        return self._end(Decision.NO_DECISION_TIMEOUT, (too_few,))

    def left(self, now_s: float) -> Conclusion | None:
        """Takes in that the face has left.

        An identification ends by that: with votes without a decision, and without one vote as if nobody
        had come, because a passer-by is no transaction. A claim goes on until its time is up, but the
        next face starts from no votes.

        Returns:
            The conclusion; None where there is nothing to record. See `is_over`.

        Raises:
            TransactionOver: after the end.
        """
        late = self.timed_out(now_s)
        if late is not None:
            return late
        if self._is_claim:
            self._start_anew()
            return None
        if not self._votes and not self._set_aside:
            self._is_over = True
            return None
        return self._end(Decision.NO_DECISION_TIMEOUT, (Reason(TransactionReason.LEFT),))

    def restart(self, policy: Policy) -> None:
        """Goes on under another policy or pack: votes cast so far count no more, the clock runs on.

        Raises:
            TransactionOver: after the end.
        """
        self._require_running()
        self._policy = policy
        self._start_anew()

    def instruction(self, now_s: float) -> Instruction:
        """What the person should do now, by the same gates that decide which faces vote."""
        if not self._last_faces.faces or now_s - self._last_faces_s > RECENT_S:
            return Instruction.STAND_IN_FRONT
        usable = self._last_faces.usable
        if usable:
            return Instruction.ONE_PERSON_ONLY if len(usable) > 1 else Instruction.KEEP_LOOKING
        worst = _largest(self._last_faces).faults[0].reason
        return _MENDED_BY.get(worst, Instruction.LOOK_AT_CAMERA)

    def _remember(self, sighting: Sighting, now_s: float) -> None:
        if sighting.faces:
            self._last_faces, self._last_faces_s = sighting, now_s
        if sighting.usable:
            self._has_seen_usable = True
            self._shows_several = len(sighting.usable) > 1
        if len(sighting.usable) > 1:
            self._several_s = now_s

    def _start_anew(self) -> None:
        self._set_aside.extend(self._votes)
        self._votes.clear()

    def _cast(self) -> list[Vote]:
        return [record.vote for record in self._votes]

    def _end(self, decision: Decision, reasons: tuple[Reason, ...], leading: Vote | None = None) -> Conclusion:
        self._is_over = True
        if leading is None:
            leading, _ = voting.leading(self._cast(), self._policy)
        votes, set_aside = tuple(self._votes), tuple(self._set_aside)
        return Conclusion(decision, leading, votes, reasons, set_aside, is_claim=self._is_claim)

    def _require_running(self) -> None:
        if self._is_over:
            raise TransactionOver("expected a running transaction, but it has ended: start the next one")


def _may_be_somebody_else(sighting: Sighting) -> bool:
    """Whether the face that votes now, or all that is left of it, is not the one that voted before."""
    if any(not face.is_same_as_before for face in sighting.usable):
        return True
    # A new face that passes no gate votes not, yet where it is alone the one before has gone.
    return bool(sighting.faces) and not any(face.is_same_as_before for face in sighting.faces)


def _largest(sighting: Sighting) -> FaceSighting:
    return max(sighting.faces, key=lambda face: face.size_px)


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """The final word on a transaction.

    Args:
        decision: what is stored and done.
        reasons: why; none for an accept.
        raises_alert: whether somebody of the deny list stands there.

    Raises:
        ValueError: for an accept with a reason against it, or an alert without a refusal.
    """

    decision: Decision
    reasons: tuple[Reason, ...]
    raises_alert: bool

    def __post_init__(self) -> None:
        if self.decision is Decision.ACCEPT and self.reasons:
            raise ValueError(f"verdict: expected an accept without reasons, got {self.reasons}")
        if self.raises_alert and self.decision is not Decision.REJECT_NOT_ALLOWED:
            raise ValueError(f"verdict: expected an alert with reject_not_allowed, got {self.decision}")


def conclude(
    conclusion: Conclusion,
    *,
    standing: Standing | None,
    allowed_groups: frozenset[int] | None,
    pin_ok: bool | None,
    claim_is_known: bool,
    now: dt.datetime,
    policy: Policy,
) -> Verdict:
    """Holds what the face says against what the database says now.

    Somebody of the deny list is refused with an alert before anything else is looked at. An accept has to
    pass every check again, whatever the votes said; one that does not hold fails closed.

    Args:
        conclusion: of the transaction.
        standing: of the claimed person or, without a claim, of the one that the leading vote names; None
            when there is no such person any more.
        allowed_groups: of the checkpoint; see `Standing.bars`.
        pin_ok: whether the PIN was right, which none is where the person has one; None where they have none.
            Looked at only where the policy asks a claim for one.
        claim_is_known: whether the claim names a person; meaningless without a claim.
        now: with a time zone.
        policy: that holds now.

    Raises:
        ValueError: for a time without a time zone.
    """
    best = conclusion.leading.best if conclusion.leading else None
    bars = _bars(best, standing, allowed_groups, now)
    decision, bar_reasons = Decision, tuple(map(Reason, bars))
    match conclusion.decision:
        case decision.ACCEPT | decision.REJECT_NOT_ALLOWED if Bar.DENY_LIST in bars:
            return Verdict(decision.REJECT_NOT_ALLOWED, bar_reasons, raises_alert=True)
        case decision.REJECT_NOT_ALLOWED:
            return _refused(decision.REJECT_NOT_ALLOWED, *bar_reasons)
        case decision.ACCEPT | decision.REJECT_NO_MATCH if conclusion.is_claim and not claim_is_known:
            return _refused(decision.REJECT_NO_MATCH, Reason(TransactionReason.CLAIM_UNKNOWN))
        case decision.REJECT_NO_MATCH:
            return _refused(decision.REJECT_NO_MATCH, *conclusion.reasons, *_pin_faults(conclusion, pin_ok, policy))
        case decision.ACCEPT:
            return (
                _unproven(conclusion, standing, policy)
                or (_refused(decision.REJECT_NOT_ALLOWED, *bar_reasons) if bars else None)
                or _without_pin(conclusion, pin_ok, policy)
                or Verdict(decision.ACCEPT, (), raises_alert=False)
            )
        case _:
            return _refused(conclusion.decision, *conclusion.reasons)


def _unproven(conclusion: Conclusion, standing: Standing | None, policy: Policy) -> Verdict | None:
    """The refusal where the leading vote does not prove that this person stands there; None where it does."""
    leading, is_claim = conclusion.leading, conclusion.is_claim
    best = leading.best if leading else None
    if leading is None or best is None or standing is None or standing.person_id != best.person_id:
        # The person was erased meanwhile, or is not the claimed one.
        return _refused(Decision.REJECT_NO_MATCH, Reason(TransactionReason.NO_TEMPLATE))
    limit = verdict.threshold(policy, is_claim=is_claim)
    if not best.similarity >= limit:
        return _refused(Decision.REJECT_NO_MATCH, Reason(TransactionReason.BELOW_THRESHOLD, best.similarity, limit))
    if not is_claim and not verdict.has_margin(leading.margin, policy):
        too_small = Reason(TransactionReason.MARGIN_TOO_SMALL, leading.margin, policy.margin)
        return _refused(Decision.REJECT_AMBIGUOUS, too_small)
    return None


def _without_pin(conclusion: Conclusion, pin_ok: bool | None, policy: Policy) -> Verdict | None:
    faults = _pin_faults(conclusion, pin_ok, policy)
    return _refused(Decision.REJECT_NO_MATCH, *faults) if faults else None


def _bars(
    best: Candidate | None, standing: Standing | None, allowed_groups: frozenset[int] | None, now: dt.datetime
) -> tuple[Bar, ...]:
    """What keeps the person out whom the votes name: known at the search or known now, the gravest first."""
    if best is None:
        return ()
    is_theirs = standing is not None and standing.person_id == best.person_id
    fresh = standing.bars(now, allowed_groups) if standing is not None and is_theirs else ()
    return tuple(bar for bar in Bar if bar is best.barred or bar in fresh)


def _pin_faults(conclusion: Conclusion, pin_ok: bool | None, policy: Policy) -> tuple[Reason, ...]:
    if not (policy.requires_pin and conclusion.is_claim) or pin_ok is True:
        return ()
    return (Reason(TransactionReason.PIN_NOT_SET if pin_ok is None else TransactionReason.PIN_WRONG),)


def _refused(decision: Decision, *reasons: Reason) -> Verdict:
    return Verdict(decision, reasons, raises_alert=False)
