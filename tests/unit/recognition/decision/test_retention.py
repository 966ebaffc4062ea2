from __future__ import annotations

import pytest

from recognition.decision.retention import RetentionClass, class_of, members
from recognition.decision.verdict import Decision


@pytest.mark.parametrize(
    ("decision", "is_claim", "found"),
    [
        (Decision.ACCEPT, False, "accepted"),
        (Decision.ACCEPT, True, "accepted"),
        (Decision.REJECT_NO_MATCH, False, "unknown"),
        (Decision.REJECT_NO_MATCH, True, "refused"),
        (Decision.REJECT_NOT_ALLOWED, False, "refused"),
        (Decision.REJECT_AMBIGUOUS, False, "refused"),
        (Decision.REJECT_PAD, False, "refused"),
        (Decision.LOCKED_OUT, True, "refused"),
        (Decision.NO_DECISION_QUALITY, False, "no_decision"),
        (Decision.NO_DECISION_MULTIPLE_FACES, False, "no_decision"),
        (Decision.NO_DECISION_TIMEOUT, True, "no_decision"),
        (Decision.ERROR, True, "no_decision"),
    ],
)
def test_the_class_says_what_came_of_it(decision: Decision, is_claim: bool, found: str) -> None:
    assert class_of(decision, is_claim=is_claim) == found


def test_each_event_is_of_one_class() -> None:
    found = [member for wanted in RetentionClass for member in members(wanted)]
    assert len(found) == len(set(found)) == 2 * len(Decision)
