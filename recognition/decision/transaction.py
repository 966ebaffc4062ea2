"""One transaction at a checkpoint, from the first look to what the face says; time is passed in.

`Transaction` collects votes from analysed frames and ends in a `Conclusion`.
"""

from __future__ import annotations

import dataclasses
import enum
import math

from recognition.decision import verdict, voting
from recognition.decision.conclusion import Conclusion
from recognition.decision.policy import Policy, QualityFault, SampleReason
from recognition.decision.verdict import Decision, Reason, TransactionReason, Vote
from recognition.decision.voting import VoteRecord
from recognition.vision.types import Quality

RECENT_S = 1.0
"""How long what was seen last still describes the place: shorter gaps are blinks of the detector."""

BLIND_AFTER_S = 2.0
"""Without an analysed frame for this long nothing is known of the place: a frame that is not answered in this
time has failed (`services.children.FRAME_TIMEOUT_S`)."""


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
        self._asked_s = -math.inf
        self._analysed_s = -math.inf
        self._last_faces = Sighting(())
        self._last_faces_s = started_s
        self._has_seen_usable = False
        self._shows_several = False
        self._several_s: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, with or without a conclusion."""
        return self._is_over

    @property
    def vote_count(self) -> int:
        """How many votes count now: of one face, under one policy."""
        return len(self._votes)

    def is_watching(self, now_s: float) -> bool:
        """Whether what was analysed still describes the place: only then has a face that is not seen left."""
        return now_s - self._analysed_s <= RECENT_S

    def asked(self, now_s: float) -> None:
        """Takes in that a frame was handed over to be analysed; `see` is the answer, if one comes."""
        self._asked_s = now_s

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
        self._analysed_s = now_s
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

        Where none was analysed to the end, that is an error of the installation, and says nothing of the
        person.

        Raises:
            TransactionOver: after the end.
        """
        self._require_running()
        if now_s - self._started_s < self._policy.timeout_s:
            return None
        reason = TransactionReason
        if now_s - self._analysed_s > BLIND_AFTER_S:
            unanswered = self._asked_s > self._analysed_s
            return self._end(Decision.ERROR, (Reason(reason.NOT_ANALYSED if unanswered else reason.NO_PICTURE),))
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
        """Takes in that the face has left; ask `is_watching` before.

        An identification ends by that: with votes without a decision, and without one vote as if nobody
        had come, because a passer-by is no transaction. A claim goes on until its time is up, but the
        next face starts from no votes.

        Returns:
            The conclusion; None where there is nothing to record. See `is_over`.

        Raises:
            TransactionOver: after the end.
        """
        if not self._is_claim:
            return self.abandoned(now_s)
        late = self.timed_out(now_s)
        if late is None:
            self._start_anew()
        return late

    def abandoned(self, now_s: float, because: TransactionReason = TransactionReason.LEFT) -> Conclusion | None:
        """Ends it from without.

        An identification without a vote leaves nothing to record. A claim always ends in a conclusion, with
        the votes cast so far set aside: nothing more can come of them.

        Args:
            now_s: the same clock as everywhere.
            because: `LEFT` where whoever stands there wanted it: the page closes, or they go over to a
                claim. Anything else was done to them, and ends in `ERROR`.

        Returns:
            The conclusion; None where there is nothing to record.

        Raises:
            TransactionOver: after the end.
        """
        late = self.timed_out(now_s)
        if late is not None:
            return late
        if self._is_claim:
            self._start_anew()
        elif not self._votes and not self._set_aside:
            self._is_over = True
            return None
        decision = Decision.NO_DECISION_TIMEOUT if because is TransactionReason.LEFT else Decision.ERROR
        return self._end(decision, (Reason(because),))

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
