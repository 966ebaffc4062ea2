"""One comparison judged, and the closed list of decisions."""

from __future__ import annotations

import dataclasses
import enum

from recognition.decision.matching import Candidate, CandidateList
from recognition.decision.policy import Policy


class Decision(enum.StrEnum):
    """How a transaction ends; stored with its event and never changed."""

    ACCEPT = "accept"
    REJECT_NO_MATCH = "reject_no_match"
    REJECT_NOT_ALLOWED = "reject_not_allowed"
    REJECT_AMBIGUOUS = "reject_ambiguous"
    REJECT_PAD = "reject_pad"
    NO_DECISION_QUALITY = "no_decision_quality"
    NO_DECISION_MULTIPLE_FACES = "no_decision_multiple_faces"
    NO_DECISION_TIMEOUT = "no_decision_timeout"
    LOCKED_OUT = "locked_out"
    ERROR = "error"


@dataclasses.dataclass(frozen=True, slots=True)
class Vote:
    """What one embedding says.

    Args:
        decision: accept, reject_no_match or reject_ambiguous.
        best: the closest person, whatever the decision; None when the gallery is empty.
        runner_up: the next person.
        margin: their gap; None with fewer than two people.
    """

    decision: Decision
    best: Candidate | None
    runner_up: Candidate | None
    margin: float | None

    @property
    def answer(self) -> tuple[Decision, int | None]:
        """What must be equal for two votes to agree: the decision, and for accept the person."""
        accepted = self.decision is Decision.ACCEPT and self.best is not None
        return self.decision, self.best.person_id if accepted and self.best else None


def judge(candidates: CandidateList, policy: Policy) -> Vote:
    """Judges one identification: open-set, so "nobody enrolled" is an ordinary answer.

    A person is named only at or above the identification threshold and with the margin to the
    next person; a score that is not a number is below every threshold.
    """
    best, runner_up, margin = candidates.best, candidates.runner_up, candidates.margin
    if best is None or not best.similarity >= policy.identification_threshold:
        decision = Decision.REJECT_NO_MATCH
    elif margin is not None and not margin >= policy.margin:
        decision = Decision.REJECT_AMBIGUOUS
    else:
        decision = Decision.ACCEPT
    return Vote(decision, best, runner_up, margin)


def judge_claim(similarity: float, policy: Policy) -> Decision:
    """Judges one verification: the best similarity to the claimed person's own samples."""
    if similarity >= policy.verification_threshold:
        return Decision.ACCEPT
    return Decision.REJECT_NO_MATCH
