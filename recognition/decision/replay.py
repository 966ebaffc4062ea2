"""What a past transaction would have been under another policy: its stored votes, decided anew by the live rules.

Nothing here decides by itself: votes are judged by `verdict`, counted by `voting`, and held against what is known of
the person by `conclusion`, as when the transaction ran. What the log does not hold, nobody invents: where more frames
would have been taken, the outcome is undetermined.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections.abc import Mapping, Sequence

from recognition.decision import verdict, voting
from recognition.decision.conclusion import Conclusion, conclude
from recognition.decision.matching import Candidate, CandidateList
from recognition.decision.policy import Policy
from recognition.decision.standing import Standing
from recognition.decision.verdict import Decision, Reason, TransactionReason, Vote
from recognition.decision.voting import VoteRecord

_LOCKED = frozenset({TransactionReason.LOCKED_UNTIL, TransactionReason.LOCKED_BY_STOP})
_OBSTACLES = frozenset({TransactionReason.OUT_OF_USE, TransactionReason.MODE_CHANGED})


class CannotReplay(ValueError):
    """The stored votes do not lead to the stored decision, so they say nothing of another one."""


@dataclasses.dataclass(frozen=True, slots=True)
class LoggedTransaction:
    """A transaction as the log has it.

    Args:
        decision: how it ended.
        is_claim: whether it was a verification.
        is_concluded: whether the database had the last word, as at a checkpoint; not on the live page.
        votes: those that counted, oldest first.
        set_aside: those from before a change of face or of policy, oldest first.
        reasons: why it ended so.
        claimed_person: primary key of whom somebody claimed to be; None without a claim, for one of an id that nobody
            has, and where that person was erased.
        policy: that decided.
        decided_at: with a time zone.
    """

    decision: Decision
    is_claim: bool
    is_concluded: bool
    votes: tuple[VoteRecord, ...]
    set_aside: tuple[VoteRecord, ...]
    reasons: tuple[Reason, ...]
    claimed_person: int | None
    policy: Policy
    decided_at: dt.datetime

    @property
    def codes(self) -> frozenset[str]:
        """The codes of the reasons."""
        return frozenset(reason.code for reason in self.reasons)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """How a transaction ends, or would have.

    Args:
        decision: None where it is undetermined.
        person_id: who is accepted; None for every other decision.
    """

    decision: Decision | None
    person_id: int | None = None


UNDETERMINED = Outcome(None)


@dataclasses.dataclass(frozen=True, slots=True)
class Replayed:
    """A transaction that was decided anew.

    Args:
        then: how it ended.
        after: how it would have.
    """

    then: Outcome
    after: Outcome

    @property
    def change(self) -> Change:
        """What is different for whoever stood there; an accept of another person is a change of its own."""
        accepted, accepts = self.then.decision is Decision.ACCEPT, self.after.decision is Decision.ACCEPT
        if self.after.decision is None:
            return Change.ACCEPT_UNDETERMINED if accepted else Change.REFUSAL_UNDETERMINED
        if accepted and accepts:
            return Change.NONE if self.then.person_id == self.after.person_id else Change.OTHER_PERSON
        if accepted or accepts:
            return Change.REFUSED if accepted else Change.ACCEPTED
        return Change.NONE if self.then.decision is self.after.decision else Change.OTHER_REFUSAL


class Change(enum.StrEnum):
    """What another policy would have made of a transaction, for whoever stood there."""

    NONE = "none"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    OTHER_PERSON = "other_person"
    ACCEPT_UNDETERMINED = "accept_undetermined"
    REFUSAL_UNDETERMINED = "refusal_undetermined"
    OTHER_REFUSAL = "other_refusal"


def replay(
    logged: LoggedTransaction,
    policy: Policy,
    *,
    standings: Mapping[int, Standing],
    allowed_groups: frozenset[int] | None,
) -> Replayed:
    """Decides a transaction anew.

    Args:
        logged: as the log has it.
        policy: the thresholds and votes to decide by; everything else as it was.
        standings: how people stand, for those of whom the log does not tell; whoever is not there is taken to stand
            well, as somebody who was erased since.
        allowed_groups: of the checkpoint; see `Standing.bars`.

    Raises:
        CannotReplay: when its votes do not lead to the decision that was stored.
    """
    face_then, face = _decided(logged, logged.policy), _decided(logged, policy)
    if not _leads_to(face_then, logged):
        said = face_then.decision if face_then else None
        raise CannotReplay(f"expected votes that lead to {logged.decision}, got {said}")
    then = _as_stored(logged, face_then)
    if _set_aside_might_decide(logged, policy):
        return Replayed(then, UNDETERMINED)
    if face is None:
        # What ended by its votes would have gone on; what ended by itself had no more frames.
        return Replayed(then, then if face_then is None else UNDETERMINED)
    if face_then is not None and face.answer == face_then.answer:
        return Replayed(then, then)
    if not logged.is_concluded:
        return Replayed(then, _of(face))
    return Replayed(then, _concluded(logged, face, policy, then, standings, allowed_groups))


def _decided(logged: LoggedTransaction, policy: Policy) -> Vote | None:
    """The vote that stands for the decision at the first moment at which k of the last n agree; None without one."""
    votes = [_judged_again(record.vote, policy, logged) for record in logged.votes]
    return _first_decided(votes, policy)


def _first_decided(votes: Sequence[Vote], policy: Policy) -> Vote | None:
    for count in range(policy.votes_needed, len(votes) + 1):
        decided = voting.decided(votes[:count], policy)
        if decided is not None:
            return decided
    return None


def _set_aside_might_decide(logged: LoggedTransaction, policy: Policy) -> bool:
    """Whether votes that were set aside say something else now, and could have ended it before they were.

    Where the face changed between them is not stored, so they are counted as those of one face: then more might
    agree than did, never less.
    """
    before = [_judged_again(record.vote, logged.policy, logged) for record in logged.set_aside]
    after = [_judged_again(record.vote, policy, logged) for record in logged.set_aside]
    is_same = all(one.answer == other.answer for one, other in zip(before, after, strict=True))
    same_count = (policy.votes_needed, policy.votes_of) == (logged.policy.votes_needed, logged.policy.votes_of)
    return not (is_same and same_count) and _first_decided(after, policy) is not None


def _judged_again(vote: Vote, policy: Policy, logged: LoggedTransaction) -> Vote:
    if not logged.is_claim:
        return verdict.judge_again(vote, policy)
    claimed, denied = vote.best, None
    if vote.best is not None and vote.is_deny_list_hit:
        is_both = vote.best.person_id == logged.claimed_person
        claimed, denied = vote.best if is_both else vote.runner_up, vote.best
    return verdict.judge_claim(_alone(claimed), _alone(denied), policy)


def _alone(candidate: Candidate | None) -> CandidateList:
    return CandidateList((candidate,) if candidate is not None else ())


def _leads_to(face: Vote | None, logged: LoggedTransaction) -> bool:
    """Whether what the votes say can have ended so, once the database had its word."""
    said, decision = face.decision if face else None, Decision
    match logged.decision:
        case decision.ACCEPT:
            return said is decision.ACCEPT
        case decision.REJECT_NO_MATCH | decision.REJECT_AMBIGUOUS | decision.REJECT_NOT_ALLOWED:
            return said in (logged.decision, decision.ACCEPT)
        case decision.LOCKED_OUT | decision.ERROR | decision.REJECT_PAD:
            return True
        case _:
            return face is None


def _as_stored(logged: LoggedTransaction, face: Vote | None) -> Outcome:
    accepted = logged.decision is Decision.ACCEPT and face is not None and face.best is not None
    return Outcome(logged.decision, face.best.person_id if accepted and face and face.best else None)


def _of(face: Vote) -> Outcome:
    is_accept = face.decision is Decision.ACCEPT and face.best is not None
    return Outcome(face.decision, face.best.person_id if is_accept and face.best else None)


def _concluded(
    logged: LoggedTransaction,
    face: Vote,
    policy: Policy,
    then: Outcome,
    standings: Mapping[int, Standing],
    allowed_groups: frozenset[int] | None,
) -> Outcome:
    standing = _standing(face.best, standings)
    said = conclude(
        Conclusion(
            face.decision,
            face,
            logged.votes,
            verdict.reasons(face, policy, is_claim=logged.is_claim),
            logged.set_aside,
            is_claim=logged.is_claim,
        ),
        standing=standing,
        allowed_groups=allowed_groups if standing is not None and standing.person_id in standings else None,
        pin_ok=_pin_ok(logged.codes),
        claim_is_known=TransactionReason.CLAIM_UNKNOWN not in logged.codes,
        now=logged.decided_at,
        policy=policy,
    ).decision
    if said in (Decision.ACCEPT, Decision.REJECT_NO_MATCH) and not _LOCKED.isdisjoint(logged.codes):
        return then
    if said is Decision.ACCEPT and not _OBSTACLES.isdisjoint(logged.codes):
        return Outcome(Decision.ERROR)
    return Outcome(said, face.best.person_id if said is Decision.ACCEPT and face.best else None)


def _standing(best: Candidate | None, standings: Mapping[int, Standing]) -> Standing | None:
    if best is None:
        return None
    well = Standing(best.person_id, False, False, None, None, frozenset())
    return standings.get(best.person_id, well)


def _pin_ok(codes: frozenset[str]) -> bool | None:
    if TransactionReason.PIN_NOT_SET in codes:
        return None
    return TransactionReason.PIN_WRONG not in codes
