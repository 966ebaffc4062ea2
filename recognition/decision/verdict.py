"""One comparison judged, and the closed lists of decisions and reasons."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping
from typing import Any

from recognition.decision.matching import Candidate, CandidateList, Objection
from recognition.decision.policy import Policy, QualityFault, SampleReason
from recognition.decision.standing import Bar


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


class TransactionReason(enum.StrEnum):
    """Why a whole transaction ended as it did; beside `SampleReason`, `Bar` and `Objection`, with codes of its own."""

    BELOW_THRESHOLD = "below_threshold"
    MARGIN_TOO_SMALL = "margin_too_small"
    MAY_BE_DENIED = "may_be_deny_listed"
    NOBODY_ENROLLED = "nobody_enrolled"
    CLAIM_UNKNOWN = "claim_unknown"
    PIN_WRONG = "pin_wrong"
    PIN_NOT_SET = "pin_not_set"
    NO_TEMPLATE = "no_template"
    NO_FACE = "no_face_seen"
    SEVERAL_FACES = "several_faces"
    VOTES_DISAGREE = "votes_disagree"
    LEFT = "left"
    LOCKED_UNTIL = "locked_until"
    LOCKED_BY_STOP = "locked_until_lifted"
    OUT_OF_USE = "out_of_use"
    MODE_CHANGED = "mode_changed"
    NO_THRESHOLDS = "no_thresholds"
    NOT_ANALYSED = "not_analysed"
    NO_PICTURE = "no_picture"
    SERVER_STOPPED = "server_stopped"
    FROM_VIDEO = "from_video"


_CODES = frozenset(reason.value for reasons in (TransactionReason, SampleReason, Bar, Objection) for reason in reasons)


@dataclasses.dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a transaction, as a code with its parameters; sentences are made when it is shown.

    Args:
        code: of `TransactionReason`, `SampleReason`, `Bar` or `Objection`.
        measured: what there was; None where there is nothing to measure.
        required: the limit that it was held against.

    Raises:
        ValueError: for a code that is in none of the four lists.
    """

    code: str
    measured: float | None = None
    required: float | None = None

    def __post_init__(self) -> None:
        if self.code not in _CODES:
            raise ValueError(f"code: expected a reason of the closed lists, got {self.code!r}")

    @classmethod
    def of_fault(cls, fault: QualityFault) -> Reason:
        """A gate that a face did not pass, as a reason."""
        return cls(fault.reason, fault.measured, fault.required)

    def as_json(self) -> dict[str, Any]:
        """What an event keeps of it; a number that JSON has no word for becomes null."""
        return {
            "reason": str(self.code),
            "measured": json_number(self.measured),
            "required": json_number(self.required),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Reason:
        """The inverse of `as_json`.

        Raises:
            ValueError: for a code of no list.
        """
        return cls(stored["reason"], stored["measured"], stored["required"])


def json_number(value: float | None, *, digits: int | None = None) -> float | None:
    """A number as JSON can hold it, rounded where `digits` says so; None for NaN and infinities."""
    if value is None or not math.isfinite(value):
        return None
    return value if digits is None else round(value, digits)


KEPT_CANDIDATES = 5
"""Candidates that a vote keeps: enough to see whom a face was like, and no list of the whole gallery."""


@dataclasses.dataclass(frozen=True, slots=True)
class Vote:
    """What one embedding says.

    Args:
        decision: accept, reject_no_match, reject_not_allowed or reject_ambiguous.
        best: the closest person, whatever the decision; None when the gallery is empty. For a claim
            that a person on the deny list made, that person.
        runner_up: the next person.
        margin: their gap; None with fewer than two people, and for a claim, where it decides nothing.
        others: the next people after the runner-up; they decide nothing and are kept for auditors.
        objection: what a classifier had against the closest person, whether or not it made a difference.
    """

    decision: Decision
    best: Candidate | None
    runner_up: Candidate | None
    margin: float | None
    others: tuple[Candidate, ...] = ()
    objection: Objection | None = None

    @property
    def names_somebody(self) -> bool:
        """Whether it says who stands there, be it somebody who is refused."""
        return self.decision in (Decision.ACCEPT, Decision.REJECT_NOT_ALLOWED)

    @property
    def is_deny_list_hit(self) -> bool:
        """Whether it names somebody of the deny list."""
        return self.names_somebody and self.best is not None and self.best.barred is Bar.DENY_LIST

    @property
    def answer(self) -> tuple[Decision, int | None]:
        """What must be equal for two votes to agree: the decision, and the person where it is about one."""
        return self.decision, self.best.person_id if self.names_somebody and self.best else None


def judge(candidates: CandidateList, policy: Policy) -> Vote:
    """Judges one identification: open-set, so "nobody enrolled" is an ordinary answer.

    A person is named only at or above the identification threshold and with the margin to the
    next person; a score that is not a number is below every threshold. Whoever would be named and is
    barred is refused. The margin comes first: between a person on the deny list and another who is as
    similar nobody knows whom to refuse. An objection comes last, so that it can only take a name back; the deny
    list refuses whatever a classifier says.
    """
    others = candidates.people[2:KEPT_CANDIDATES]
    unjudged = Vote(
        Decision.REJECT_NO_MATCH,
        candidates.best,
        candidates.runner_up,
        candidates.margin,
        others,
        candidates.objection,
    )
    return judge_again(unjudged, policy)


def judge_again(vote: Vote, policy: Policy) -> Vote:
    """What an identification that was judged before says under another policy, by the rules of `judge`."""
    best = vote.best
    if best is None or not best.similarity >= policy.identification_threshold:
        decision = Decision.REJECT_NO_MATCH
    elif not has_margin(vote.margin, policy):
        decision = Decision.REJECT_AMBIGUOUS
    elif is_withheld(vote, policy):
        is_torn = vote.objection is Objection.ANOTHER_PERSON
        decision = Decision.REJECT_AMBIGUOUS if is_torn else Decision.REJECT_NO_MATCH
    else:
        decision = _admitted(best)
    return dataclasses.replace(vote, decision=decision)


def is_withheld(vote: Vote, policy: Policy) -> bool:
    """Whether an identification names nobody because of an objection alone: similarity and margin would do."""
    best = vote.best
    return (
        vote.objection is not None
        and best is not None
        and best.barred is not Bar.DENY_LIST
        and best.similarity >= policy.identification_threshold
        and has_margin(vote.margin, policy)
    )


def may_be_denied(vote: Vote, policy: Policy) -> bool:
    """Whether somebody of the deny list is among those whom a search would name, were they alone.

    For a vote between two people: nobody is named, yet whoever stands there may be the banned one, enrolled
    a second time under another name.
    """
    candidates = (vote.best, vote.runner_up, *vote.others)
    return any(
        candidate is not None
        and candidate.barred is Bar.DENY_LIST
        and candidate.similarity >= policy.identification_threshold
        for candidate in candidates
    )


def judge_claim(claimed: CandidateList, denied: CandidateList, policy: Policy) -> Vote:
    """Judges one verification: is it the claimed person, and is it nobody of the deny list?

    A hit on the deny list wins over everything: the banned resident with a stolen card is refused also
    where they look like the card's owner. It is a search, hence the identification threshold.

    Args:
        claimed: the claimed person, or nobody when they have no template or do not exist.
        denied: the people on the deny list.
        policy: the thresholds.

    Raises:
        ValueError: for more than one claimed person.
    """
    if len(claimed.people) > 1:
        raise ValueError(f"claimed: expected one person at most, got {len(claimed.people)}")
    person, banned = claimed.best, denied.best
    if banned is not None and banned.similarity >= policy.identification_threshold:
        hit = dataclasses.replace(banned, barred=Bar.DENY_LIST)
        other = person if person and person.person_id != hit.person_id else None
        return Vote(Decision.REJECT_NOT_ALLOWED, hit, other, None)
    if person is None or not is_confirmed(person.similarity, policy):
        return Vote(Decision.REJECT_NO_MATCH, person, None, None)
    return Vote(_admitted(person), person, None, None)


def is_confirmed(similarity: float, policy: Policy) -> bool:
    """Whether two faces are one person's, by the verification threshold; NaN is below every threshold."""
    return similarity >= policy.verification_threshold


def has_margin(margin: float | None, policy: Policy) -> bool:
    """Whether the best person is far enough ahead of the next; without a next one, always.

    Written so that a gap that is not a number is not enough of one.
    """
    return margin is None or margin >= policy.margin


def reasons(vote: Vote, policy: Policy, *, is_claim: bool) -> tuple[Reason, ...]:
    """Why a vote says what it says; empty for an accept.

    Args:
        vote: of a transaction of that kind.
        policy: that judged it.
        is_claim: whether it was a verification.
    """
    code, best = TransactionReason, vote.best
    if vote.objection is not None and is_withheld(vote, policy):
        return (Reason(vote.objection),)
    match vote.decision:
        case Decision.REJECT_NO_MATCH if best is None:
            return (Reason(code.NO_TEMPLATE if is_claim else code.NOBODY_ENROLLED),)
        case Decision.REJECT_NO_MATCH if best is not None:
            return (Reason(code.BELOW_THRESHOLD, best.similarity, threshold(policy, is_claim=is_claim)),)
        case Decision.REJECT_AMBIGUOUS:
            return (Reason(code.MARGIN_TOO_SMALL, vote.margin, policy.margin),)
        case Decision.REJECT_NOT_ALLOWED if best is not None and best.barred is not None:
            return (Reason(best.barred),)
        case _:
            return ()


def threshold(policy: Policy, *, is_claim: bool) -> float:
    """The similarity from which a transaction of that kind may accept."""
    return policy.verification_threshold if is_claim else policy.identification_threshold


def _admitted(best: Candidate) -> Decision:
    return Decision.ACCEPT if best.barred is None else Decision.REJECT_NOT_ALLOWED
