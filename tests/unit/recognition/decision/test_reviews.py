from __future__ import annotations

import pytest

from recognition.decision.reviews import TAKEN_WHOLE, ReviewVerdict, Stratum, fitting
from recognition.decision.verdict import Decision

MATCHED = (ReviewVerdict.TRUE_MATCH, ReviewVerdict.FALSE_MATCH)
DIFFERED = (ReviewVerdict.TRUE_NON_MATCH, ReviewVerdict.FALSE_NON_MATCH)


@pytest.mark.parametrize(
    ("decision", "reasons", "fit"),
    [
        (Decision.ACCEPT, [], MATCHED),
        (Decision.REJECT_NOT_ALLOWED, ["deny_listed"], MATCHED),
        (Decision.REJECT_NO_MATCH, [], DIFFERED),
        (Decision.REJECT_NO_MATCH, ["below_threshold"], DIFFERED),
        (Decision.REJECT_NO_MATCH, ["pin_wrong"], MATCHED),
        (Decision.REJECT_NO_MATCH, ["below_threshold", "pin_wrong"], DIFFERED),
        (Decision.REJECT_AMBIGUOUS, ["margin_too_small"], DIFFERED),
        (Decision.NO_DECISION_TIMEOUT, [], DIFFERED),
        (Decision.LOCKED_OUT, ["locked_until"], DIFFERED),
    ],
)
def test_what_matched_and_what_did_not_are_asked_for_different_verdicts(
    decision: Decision, reasons: list[str], fit: tuple[ReviewVerdict, ...]
) -> None:
    assert fitting(decision, reasons) == (*fit, ReviewVerdict.SPOOF, ReviewVerdict.CANNOT_TELL)


def test_overrides_and_what_is_near_the_threshold_are_reviewed_whole() -> None:
    assert set(Stratum) - TAKEN_WHOLE == {Stratum.ACCEPT, Stratum.REFUSAL}
