"""The votes that an event keeps, as they were cast: the inverse of `VoteRecord.as_json`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

from recognition.decision import verdict
from recognition.decision.matching import Candidate, Objection
from recognition.decision.policy import Policy
from recognition.decision.standing import Bar
from recognition.decision.verdict import Decision, Reason, Vote
from recognition.decision.voting import VoteRecord
from recognition.vision.types import Quality

_ROUNDED_BY = 0.51e-4
"""How far a stored similarity or margin may be from the one that was judged: half of its last digit, and a rounding."""

_BARS = frozenset(Bar)


def read(
    stored: Iterable[Mapping[str, Any]],
    *,
    policy: Policy,
    is_claim: bool,
    reasons: Iterable[Reason],
    best_person: int | None,
    bars: Mapping[int, Bar],
) -> tuple[tuple[VoteRecord, ...], tuple[VoteRecord, ...]]:
    """The votes that an event keeps, those that counted and those that were set aside.

    Args:
        stored: as `VoteRecord.as_json` made them.
        policy: under which the transaction ended.
        is_claim: whether they are of a verification.
        reasons: of the event: they name what stood against its person.
        best_person: whom the event was about.
        bars: what stands against people, for those of whom the vote does not tell.
    """
    told = next((Bar(reason.code) for reason in reasons if reason.code in _BARS), None)
    known = bars if told is None or best_person is None else {**bars, best_person: told}
    counted: list[VoteRecord] = []
    set_aside: list[VoteRecord] = []
    for each in stored:
        record = _record(each, known)
        record = dataclasses.replace(record, vote=_unrounded(record.vote, policy, is_claim=is_claim))
        (counted if each.get("counts", True) else set_aside).append(record)  # votes of the first version all counted
    return tuple(counted), tuple(set_aside)


def _record(stored: Mapping[str, Any], bars: Mapping[int, Bar]) -> VoteRecord:
    decision = Decision(stored["decision"])
    best = _candidate(stored["best_person"], stored["best_sample"], stored["similarity"], bars)
    if best is not None and decision is Decision.ACCEPT:
        best = dataclasses.replace(best, barred=None)
    elif best is not None and decision is Decision.REJECT_NOT_ALLOWED and best.barred is None:
        best = dataclasses.replace(best, barred=Bar.SUSPENDED)  # something stood against them; not the deny list now
    others = tuple(
        candidate
        for other in stored.get("others", ())
        if (candidate := _candidate(other["person"], other["sample"], other["similarity"], bars)) is not None
    )
    runner_up = _candidate(stored["runner_up"], 0, stored["runner_up_similarity"], bars)
    margin = stored["margin"]
    if margin is None and runner_up is not None:
        margin = math.nan  # there was a next person, and the gap was not a number
    objection = Objection(stored["objection"]) if "objection" in stored else None
    vote = Vote(decision, best, runner_up, margin, others, objection)
    return VoteRecord(float(stored["at_ms"]), vote, Quality.from_json(stored["quality"]))


def _candidate(
    person: int | None, sample: int | None, similarity: float | None, bars: Mapping[int, Bar]
) -> Candidate | None:
    if person is None:
        return None
    return Candidate(person, "", sample or 0, math.nan if similarity is None else similarity, bars.get(person))


def _unrounded(vote: Vote, policy: Policy, *, is_claim: bool) -> Vote:
    """The vote with its similarity and margin moved to the side of the limit on which they were judged to be.

    Four digits are stored, so that a similarity right at the threshold may lie on its other side.
    """
    if vote.best is None:
        return vote
    limit = policy.identification_threshold if vote.is_deny_list_hit else verdict.threshold(policy, is_claim=is_claim)
    reaches = vote.decision is not Decision.REJECT_NO_MATCH
    best = dataclasses.replace(vote.best, similarity=_moved(vote.best.similarity, limit, reaches=reaches))
    if vote.margin is None or not reaches:
        return dataclasses.replace(vote, best=best)
    has_margin = vote.decision is not Decision.REJECT_AMBIGUOUS
    return dataclasses.replace(vote, best=best, margin=_moved(vote.margin, policy.margin, reaches=has_margin))


def _moved(value: float, limit: float, *, reaches: bool) -> float:
    if not abs(value - limit) <= _ROUNDED_BY:
        return value
    return max(value, limit) if reaches else min(value, math.nextafter(limit, -math.inf))
