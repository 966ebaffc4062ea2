"""Which class an event is of, by which is said how long it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from recognition.decision.verdict import Decision

_NO_DECISION = frozenset(
    {
        Decision.NO_DECISION_QUALITY,
        Decision.NO_DECISION_MULTIPLE_FACES,
        Decision.NO_DECISION_TIMEOUT,
        Decision.ERROR,
    }
)


class RetentionClass(StrEnum):
    """What came of it, as far as it matters for how long it is needed."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NO_DECISION = "no_decision"


COMPARED = (RetentionClass.ACCEPTED, RetentionClass.REFUSED, RetentionClass.UNKNOWN)
"""The classes of events in which somebody was compared with whom they came as, or with everybody."""


def class_of(decision: Decision, *, is_claim: bool) -> RetentionClass:
    """The class of an event.

    Whoever is not recognised is a stranger to an identification; to a claim, it is a claim that was refused.

    Args:
        decision: how it ended.
        is_claim: whether it was a verification.
    """
    if decision is Decision.ACCEPT:
        return RetentionClass.ACCEPTED
    if decision in _NO_DECISION:
        return RetentionClass.NO_DECISION
    if decision is Decision.REJECT_NO_MATCH and not is_claim:
        return RetentionClass.UNKNOWN
    return RetentionClass.REFUSED


def members(wanted: RetentionClass) -> Iterator[tuple[Decision, bool]]:
    """Each decision of a class, and whether it is of it as a verification or as an identification."""
    for decision in Decision:
        for is_claim in (False, True):
            if class_of(decision, is_claim=is_claim) is wanted:
                yield decision, is_claim
