"""What an auditor reads of an event: sentences made of stored codes and numbers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from recognition.admin import event_detail
from recognition.decision.verdict import Decision
from recognition.models import Person, RecognitionEvent

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 5, 17, 12, tzinfo=dt.UTC)
THRESHOLDS = {
    "identification_threshold": 0.474,
    "verification_threshold": 0.4,
    "margin": 0.05,
    "votes_needed": 3,
    "votes_of": 5,
}


def event(decision: Decision, **fields: Any) -> RecognitionEvent:
    values = {"similarity": None, "margin": None, "votes": [], "reasons": [], "timings": {}, **fields}
    return RecognitionEvent(
        decision=decision.value,
        thresholds=THRESHOLDS,
        started_at=NOON,
        decided_at=NOON + dt.timedelta(seconds=1.5),
        **values,
    )


def vote(**fields: Any) -> dict[str, Any]:
    return {
        "at_ms": 420,
        "decision": "reject_no_match",
        "best_person": None,
        "best_sample": None,
        "similarity": None,
        "runner_up": None,
        "runner_up_similarity": None,
        "margin": None,
        "quality": {"face_size_px": 120.0, "sharpness": 88.0},
        **fields,
    }


@pytest.mark.parametrize(
    ("decision", "fields", "sentences"),
    [
        (Decision.REJECT_NO_MATCH, {}, ["Nobody was enrolled to compare with."]),
        (
            Decision.REJECT_NO_MATCH,
            {"similarity": 0.412},
            ["The similarity 0.412 is below the threshold 0.474."],
        ),
        (  # as many digits as it takes to tell the two apart
            Decision.REJECT_NO_MATCH,
            {"similarity": 0.4738},
            ["The similarity 0.4738 is below the threshold 0.4740."],
        ),
        (
            Decision.ACCEPT,
            {"similarity": 0.474, "margin": 0.31},
            [
                "The similarity 0.474 reaches the threshold 0.474.",
                "The margin 0.310 to the next person reaches the 0.050 that is required.",
            ],
        ),
        (
            Decision.ACCEPT,
            {"similarity": 0.61},
            ["The similarity 0.610 reaches the threshold 0.474.", "There was no second person to be taken for."],
        ),
        (
            Decision.REJECT_AMBIGUOUS,
            {"similarity": 0.5, "margin": 0.02},
            [
                "The similarity 0.500 reaches the threshold 0.474.",
                "The margin 0.020 to the next person is below the 0.050 that is required.",
            ],
        ),
        (
            Decision.NO_DECISION_QUALITY,
            {"reasons": [{"reason": "face_too_small", "measured": 30.2, "required": 48.0}]},
            [
                "No view of the face was good enough to be compared.",
                "The face is too small: 30 px, needs 48 px. Come closer.",
            ],
        ),
        (
            Decision.NO_DECISION_TIMEOUT,
            {},
            ["The face left, or the time was up, before enough votes agreed."],
        ),
        (
            Decision.NO_DECISION_TIMEOUT,
            {"reasons": [{"reason": "votes_disagree", "measured": 2, "required": 3}]},
            ["The time was up before enough votes agreed: 2 of 3."],
        ),
        (
            Decision.REJECT_NOT_ALLOWED,
            {"similarity": 0.6, "reasons": [{"reason": "deny_list", "measured": None, "required": None}]},
            ["The person is on the deny list."],
        ),
        (  # a claim is held against the threshold of verifications, and against nobody else
            Decision.ACCEPT,
            {"similarity": 0.41, "kind": "verification"},
            ["The similarity 0.410 reaches the threshold 0.400."],
        ),
        (Decision.ERROR, {}, []),
    ],
)
def test_says_the_decision_with_the_numbers_behind_it(
    decision: Decision, fields: dict[str, Any], sentences: list[str]
) -> None:
    assert list(event_detail.detail(event(decision, **fields)).sentences) == sentences


@pytest.mark.parametrize("decision", Decision)
def test_has_something_to_show_for_every_decision(decision: Decision) -> None:
    shown = event_detail.detail(event(decision, similarity=0.5, margin=0.1, votes=[vote()]))
    assert shown.duration_s == 1.5
    assert shown.sentences[-1] == "1 vote was cast; 3 of the last 5 had to agree."


def test_names_the_closest_person_of_each_vote() -> None:
    ada = Person.objects.create(name="Ada Lovelace")
    votes = [vote(best_person=ada.pk, similarity=0.4, margin=0.1), vote(best_person=ada.pk + 1), vote()]
    rows = event_detail.detail(event(Decision.REJECT_NO_MATCH, similarity=0.4, votes=votes)).votes
    assert [row.person for row in rows] == ["Ada Lovelace", "", ""]
    assert rows[0].seconds == 0.42
    assert rows[0].decision == "Not recognised"
    assert (rows[0].similarity, rows[0].margin) == (0.4, 0.1)
    assert (rows[0].face_size_px, rows[0].sharpness) == (120.0, 88.0)


def test_shows_further_candidates_and_which_votes_did_not_count() -> None:
    ada = Person.objects.create(name="Ada Lovelace")
    known, erased = (
        {"person": pk, "sample": pk, "similarity": number} for pk, number in ((ada.pk, 0.31), (ada.pk + 1, None))
    )
    others = [known, erased]
    votes = [vote(counts=False), vote(counts=True, others=others), vote()]
    shown = event_detail.detail(event(Decision.REJECT_NO_MATCH, similarity=0.4, votes=votes))
    assert [row.counts for row in shown.votes] == [False, True, True]
    assert [row.others for row in shown.votes] == ["", "Ada Lovelace 0.310, - -", ""]
    assert shown.sentences[-1] == "2 votes were cast; 3 of the last 5 had to agree."


def test_lists_the_timings_in_the_order_of_the_steps() -> None:
    timings = {"embed": 3.0, "runtime": "openvino", "decode": 1.0, "detect": 2.0}
    shown = event_detail.detail(event(Decision.ACCEPT, similarity=0.5, timings=timings))
    assert shown.timings_ms == (("decoding", 1.0), ("detecting", 2.0), ("embedding", 3.0))
    assert shown.runtime == "openvino"
