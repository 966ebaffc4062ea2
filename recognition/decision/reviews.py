"""What a reviewer may say of a transaction, and into which group each one falls when some are drawn for review."""

from __future__ import annotations

import enum
from collections.abc import Collection

from recognition.decision.verdict import Decision, TransactionReason


class ReviewVerdict(enum.StrEnum):
    """What somebody who looks at a transaction afterwards says of it.

    A comparison that matched was one person (true match) or two (false match); one that did not was two
    people (true non-match) or one (false non-match).
    """

    TRUE_MATCH = "true_match"
    FALSE_MATCH = "false_match"
    TRUE_NON_MATCH = "true_non_match"
    FALSE_NON_MATCH = "false_non_match"
    SPOOF = "spoof"
    CANNOT_TELL = "cannot_tell"


class Stratum(enum.StrEnum):
    """The groups that transactions are drawn from; each falls into the first that fits it, so that none counts twice.

    Transactions that ended without a decision belong to none of them unless staff overrode them: there is no
    comparison to judge.
    """

    OVERRIDE = "override"
    NEAR_THRESHOLD = "near_threshold"
    ACCEPT = "accept"
    REFUSAL = "refusal"


TAKEN_WHOLE = frozenset({Stratum.OVERRIDE, Stratum.NEAR_THRESHOLD})
"""Strata of which every transaction is reviewed."""

REFUSALS = (
    Decision.REJECT_NO_MATCH,
    Decision.REJECT_NOT_ALLOWED,
    Decision.REJECT_AMBIGUOUS,
    Decision.REJECT_PAD,
)
"""Decisions that refuse somebody who was seen."""

_PIN_ALONE = frozenset({TransactionReason.PIN_WRONG, TransactionReason.PIN_NOT_SET})


def fitting(decision: Decision, reasons: Collection[str]) -> tuple[ReviewVerdict, ...]:
    """The verdicts that make sense of a transaction, in the order in which they are offered.

    Args:
        decision: how it ended.
        reasons: codes of why. Who is refused for the PIN alone was recognised.
    """
    is_pin_alone = decision is Decision.REJECT_NO_MATCH and bool(reasons) and _PIN_ALONE.issuperset(reasons)
    if decision in (Decision.ACCEPT, Decision.REJECT_NOT_ALLOWED) or is_pin_alone:
        matched = (ReviewVerdict.TRUE_MATCH, ReviewVerdict.FALSE_MATCH)
    else:
        matched = (ReviewVerdict.TRUE_NON_MATCH, ReviewVerdict.FALSE_NON_MATCH)
    return (*matched, ReviewVerdict.SPOOF, ReviewVerdict.CANNOT_TELL)
