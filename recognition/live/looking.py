"""One transaction at a kiosk with what is kept beside it: whose face votes, the best picture, how far it is."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from recognition.decision import verdict
from recognition.decision.conclusion import Conclusion
from recognition.decision.matching import CandidateList
from recognition.decision.policy import Policy
from recognition.decision.transaction import FaceSighting, Instruction, Sighting, Transaction
from recognition.decision.verdict import TransactionReason, Vote
from recognition.selectors.packs import ActivePack
from recognition.services.frames import FrameOutcome, FrameTimings, SeenFace
from recognition.services.transactions import ClaimInProgress

Followed = Sequence[tuple[str, SeenFace]]
"""The faces of a frame, each with the name of its track."""


@dataclasses.dataclass(frozen=True, slots=True)
class Finished:
    """A transaction that is to be concluded and stored.

    Args:
        claim: what was claimed; None for an identification.
        conclusion: what the face says.
        active: the pack and policy it was looked at with.
        crop_jpeg: the probe; empty without votes.
        timings: of the last frame.
        runtime: what ran the networks.
        duration_s: from its beginning.
        is_shown: whether somebody waits for the answer; not one who went over to a claim, or left.
    """

    claim: ClaimInProgress | None
    conclusion: Conclusion
    active: ActivePack
    crop_jpeg: bytes
    timings: FrameTimings
    runtime: str
    duration_s: float
    is_shown: bool


class Looking:
    """Somebody before the camera, until k of the last n votes agree or the time is up."""

    def __init__(self, claim: ClaimInProgress | None, active: ActivePack, policy: Policy, started_s: float) -> None:
        """Starts the clock.

        Args:
            claim: who they say they are; None to search everybody.
            active: the pack and policy in use.
            policy: that of `active`.
            started_s: a monotonic clock, in seconds; the same for every later call.
        """
        self.claim = claim
        self.has_voted = False
        self.voted_track: str | None = None
        self._transaction = Transaction(policy, is_claim=claim is not None, started_s=started_s)
        self._policy = policy
        self._active = active
        self._started_s = started_s
        self._best_score = -math.inf
        self._crop_jpeg = b""
        self._timings = FrameTimings()
        self._runtime = ""

    @property
    def is_over(self) -> bool:
        """Whether it has ended, with or without a conclusion."""
        return self._transaction.is_over

    @property
    def progress(self) -> float:
        """Votes that count as a share of those that are needed, for the page: 0..1."""
        return min(self._transaction.vote_count / self._policy.votes_needed, 1.0)

    def seconds_left(self, now_s: float) -> float:
        """Until its time is up."""
        return max(0.0, self._policy.timeout_s - (now_s - self._started_s))

    def instruction(self, now_s: float) -> Instruction:
        """What the person should do now."""
        return self._transaction.instruction(now_s)

    def asked(self, now_s: float) -> None:
        """Takes in that a frame is handed to a worker for it."""
        self._transaction.asked(now_s)

    def see(self, faces: Followed, outcome: FrameOutcome, now_s: float) -> Finished | None:
        """Takes the faces of an analysed frame in.

        Returns:
            The transaction when this frame, or the time, ends it.
        """
        active = outcome.active
        if active is None or active.policy is None:
            raise ValueError("see: expected a frame that was analysed under a policy")
        if (active.policy, active.digest) != (self._policy, self._active.digest):
            # An event names one policy and one pack, so votes cast under others count no more.
            self._transaction.restart(active.policy)
            self._policy = active.policy
        self._active, self._timings, self._runtime = active, outcome.timings, outcome.runtime
        sighting = Sighting(tuple(self._sighted(track, face) for track, face in faces))
        conclusion = self._transaction.see(sighting, now_s)
        self._note(faces)
        return self._finished(conclusion, now_s)

    def wait(self, now_s: float, *, nobody_is_there: bool) -> Finished | None:
        """Lets time pass without a frame.

        Returns:
            The transaction when the time is up, or its face has left. While no frame is analysed nobody
            is known to have left: they may stand before a worker that has died.
        """
        conclusion = self._transaction.timed_out(now_s)
        if conclusion is None and nobody_is_there and self._transaction.is_watching(now_s):
            conclusion = self._transaction.left(now_s)
            self.voted_track = None
        return self._finished(conclusion, now_s)

    def abandon(self, now_s: float, because: TransactionReason = TransactionReason.LEFT) -> Finished | None:
        """Ends it without an answer: an identification without a vote leaves no record, a claim always does.

        Args:
            now_s: the same clock as everywhere.
            because: see `Transaction.abandoned`.
        """
        return self._finished(self._transaction.abandoned(now_s, because), now_s, is_shown=False)

    def _sighted(self, track: str, face: SeenFace) -> FaceSighting:
        return FaceSighting(
            is_same_as_before=track == self.voted_track,
            faults=face.faults,
            vote=self._judged(face),
            quality=face.quality,
            size_px=min(face.box.width, face.box.height),
        )

    def _judged(self, face: SeenFace) -> Vote | None:
        if face.candidates is None:
            return None
        if self.claim is None:
            return verdict.judge(face.candidates, self._policy)
        # Without a search of the deny list nothing is said for a claim.
        if face.denied is None:
            return None
        claimed = face.candidates if self.claim.person_id is not None else CandidateList()
        return verdict.judge_claim(claimed, face.denied, self._policy)

    def _note(self, faces: Followed) -> None:
        """Keeps who votes, and their best picture; the votes are the transaction's own."""
        usable = [(track, face) for track, face in faces if not face.faults]
        if len(usable) != 1:
            return
        ((track, face),) = usable
        if face.candidates is None:
            return
        if track != self.voted_track:
            self._best_score = -math.inf
        self.voted_track, self.has_voted = track, True
        if face.quality.score > self._best_score:
            self._best_score, self._crop_jpeg = face.quality.score, face.crop_jpeg

    def _finished(self, conclusion: Conclusion | None, now_s: float, *, is_shown: bool = True) -> Finished | None:
        if conclusion is None:
            return None
        return Finished(
            claim=self.claim,
            conclusion=conclusion,
            active=self._active,
            crop_jpeg=self._crop_jpeg,
            timings=self._timings,
            runtime=self._runtime,
            duration_s=now_s - self._started_s,
            is_shown=is_shown,
        )
