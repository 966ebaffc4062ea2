"""The final word on a transaction: what the face says, held against what the database says now.

`conclude` makes the `Verdict` of a `Conclusion`. Nothing else may open a door.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

from recognition.decision import verdict, voting
from recognition.decision.matching import Candidate
from recognition.decision.policy import Policy
from recognition.decision.standing import Bar, Standing
from recognition.decision.verdict import Decision, Reason, TransactionReason, Vote
from recognition.decision.voting import VoteRecord


@dataclasses.dataclass(frozen=True, slots=True)
class Conclusion:
    """How the looking ended; `conclude` makes the verdict of it.

    Args:
        decision: what the votes, or the lack of them, say.
        leading: the vote that stands for it; None without votes.
        votes: the votes that count, oldest first.
        reasons: why; empty for an accept.
        set_aside: votes from before a change of face or of policy, and those of an abandoned claim, oldest first;
            kept, and counted no more.
        is_claim: whether it was a verification. By keyword, because a threshold depends on it.
    """

    decision: Decision
    leading: Vote | None
    votes: tuple[VoteRecord, ...]
    reasons: tuple[Reason, ...]
    set_aside: tuple[VoteRecord, ...] = ()
    is_claim: bool = dataclasses.field(kw_only=True)


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """The final word on a transaction.

    Args:
        decision: what is stored and done.
        reasons: why; none for an accept.
        raises_alert: whether somebody of the deny list stands there, or may be the one who does.

    Raises:
        ValueError: for an accept with a reason against it, or an alert without a refusal.
    """

    decision: Decision
    reasons: tuple[Reason, ...]
    raises_alert: bool

    def __post_init__(self) -> None:
        if self.decision is Decision.ACCEPT and self.reasons:
            raise ValueError(f"verdict: expected an accept without reasons, got {self.reasons}")
        if self.raises_alert and self.decision not in (Decision.REJECT_NOT_ALLOWED, Decision.REJECT_AMBIGUOUS):
            raise ValueError(f"verdict: expected an alert with a person who is refused, got {self.decision}")


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

    Somebody of the deny list is refused with an alert before anything else is looked at; where nobody knows
    which of two people it is, and one of them is on it, there is an alert too. An accept has to
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
        case decision.REJECT_AMBIGUOUS:
            return _ambiguous(conclusion, policy, *conclusion.reasons)
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
        return _ambiguous(conclusion, policy, too_small)
    if leading.objection is not None:
        return _refused(Decision.REJECT_NO_MATCH, Reason(leading.objection))
    return None


def _ambiguous(conclusion: Conclusion, policy: Policy, *reasons: Reason) -> Verdict:
    """The refusal between two people; with an alert where one of them is on the deny list."""
    leading = conclusion.leading
    leads_to_denied = leading is not None and verdict.may_be_denied(leading, policy)
    if not (leads_to_denied or voting.may_be_denied(conclusion.votes, policy)):
        return _refused(Decision.REJECT_AMBIGUOUS, *reasons)
    alerting = (*reasons, Reason(TransactionReason.MAY_BE_DENIED))
    return Verdict(Decision.REJECT_AMBIGUOUS, alerting, raises_alert=True)


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
