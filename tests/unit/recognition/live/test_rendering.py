from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from recognition.decision import verdict
from recognition.decision.policy import Policy, QualityFault, SampleReason
from recognition.decision.verdict import Decision, Vote
from recognition.live import rendering
from recognition.live.messages import NoticeCode, Trouble
from recognition.live.session import FaceView, Update
from recognition.models import RecognitionEvent
from recognition.selectors.packs import GalleryState
from recognition.services.frames import FrameOutcome, FrameStatus, FrameTimings
from tests import fakes

POLICY = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4)
NEAR = verdict.judge(fakes.candidates(0.91234, 0.1), POLICY)
FAR = verdict.judge(fakes.candidates(0.3, 0.1), POLICY)
TWINS = verdict.judge(fakes.candidates(0.9, 0.89), POLICY)
NOBODY = verdict.judge(fakes.candidates(), POLICY)


def view(decision: Decision | None, leading: Vote | None, fault: QualityFault | None = None) -> FaceView:
    return FaceView("7", fakes.box(10.04, 20.06, 100), decision, leading, 2, fault)


def result(*faces: FaceView) -> dict[str, Any]:
    message = rendering.result(
        sequence=3,
        update=Update(faces, ()),
        outcome=FrameOutcome(
            FrameStatus.ANALYSED, timings=FrameTimings(waited=1.23456, worker=9.87654), everywhere=True
        ),
        server_ms=11.11111,
        window=2,
        dropped=4,
    )
    received: dict[str, Any] = json.loads(json.dumps(message))
    return received


def test_a_frame_without_faces_is_still_answered() -> None:
    message = result()
    assert (message["type"], message["status"], message["sequence"]) == ("result", "analysed", 3)
    assert (message["faces"], message["window"], message["dropped"]) == ([], 2, 4)


def test_timings_are_rounded_to_what_they_are_good_for() -> None:
    timings = result()["timings"]
    assert timings == {
        "waited": 1.23,
        "decode": 0,
        "detect": 0,
        "embed": 0,
        "search": 0,
        "worker": 9.88,
        "server": 11.11,
    }


@pytest.mark.parametrize(
    ("decision", "leading", "state", "similarity"),
    [
        (None, None, "deciding", None),
        (None, NOBODY, "deciding", None),
        (None, NEAR, "deciding", 0.912),
        (Decision.REJECT_NO_MATCH, FAR, "unknown", 0.3),
        (Decision.REJECT_NO_MATCH, NOBODY, "unknown", None),
        (Decision.REJECT_AMBIGUOUS, TWINS, "unknown", 0.9),
        (Decision.REJECT_NOT_ALLOWED, NEAR, "unknown", 0.912),
        (Decision.NO_DECISION_TIMEOUT, NEAR, "unknown", 0.912),
    ],
)
def test_the_nearest_person_to_anybody_but_a_known_face_is_never_named(
    decision: Decision | None, leading: Vote | None, state: str, similarity: float | None
) -> None:
    message = result(view(decision, leading))
    (face,) = message["faces"]
    assert (face["state"], face["person"], face["similarity"]) == (state, None, similarity)
    assert "person 1" not in json.dumps(message)


def test_a_known_face_is_named_with_its_similarity() -> None:
    (face,) = result(view(Decision.ACCEPT, NEAR))["faces"]
    assert face == {
        "track": "7",
        "box": {"x": 10.0, "y": 20.1, "width": 100.0, "height": 100.0},
        "state": "known",
        "person": {"id": 1, "name": "person 1"},
        "similarity": 0.912,
        "votes": 2,
        "advice": "",
    }


def test_a_face_that_passes_no_gate_gets_the_reason_as_advice() -> None:
    fault = QualityFault(SampleReason.TOO_DARK, 0.01, 0.12)
    (face,) = result(view(None, None, fault))["faces"]
    assert face["advice"] == "too_dark"


@pytest.mark.parametrize(("failed", "status"), [(False, "dropped"), (True, "failed")])
def test_a_frame_without_an_outcome_says_why(failed: bool, status: str) -> None:
    message = rendering.empty_result(sequence=9, failed=failed, server_ms=0, window=1, dropped=1)
    assert (message["status"], message["sequence"], message["faces"]) == (status, 9, [])


def event(decision: Decision) -> RecognitionEvent:
    return RecognitionEvent(
        pk=12,
        decision=decision.value,
        similarity=0.9123,
        margin=0.8,
        decided_at=dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC),
    )


def test_the_news_of_an_accepted_event_names_the_person() -> None:
    message = rendering.decision(track_id="7", event=event(Decision.ACCEPT), leading=NEAR)
    assert message == {
        "type": "decision",
        "track": "7",
        "event": 12,
        "time": "2026-11-21T12:00:00+00:00",
        "decision": "accept",
        "person": {"id": 1, "name": "person 1"},
        "similarity": 0.9123,
        "margin": 0.8,
    }


@pytest.mark.parametrize("decision", [decision for decision in Decision if decision is not Decision.ACCEPT])
@pytest.mark.parametrize("leading", [None, NEAR, FAR, TWINS, NOBODY])
def test_the_news_of_any_other_event_names_nobody(decision: Decision, leading: Vote | None) -> None:
    message = rendering.decision(track_id="7", event=event(decision), leading=leading)
    assert message["person"] is None
    assert "person 1" not in json.dumps(message)


@pytest.mark.parametrize(
    ("decides", "people", "without_template", "trouble", "code"),
    [
        (True, 0, 0, "", NoticeCode.GALLERY_EMPTY),
        (True, 1, 0, "", NoticeCode.READY),
        (True, 0, 1, "", NoticeCode.NEEDS_REEMBEDDING),  # people are there, but not for this pack
        (True, 5, 1, "", NoticeCode.NEEDS_REEMBEDDING),
        (False, 5, 1, "", NoticeCode.PACK_WITHOUT_THRESHOLDS),
        (False, 0, 1, "worker_unavailable", NoticeCode.WORKER_UNAVAILABLE),
        (False, 0, 1, "database_unavailable", NoticeCode.DATABASE_UNAVAILABLE),
    ],
)
def test_the_gravest_state_of_the_installation_is_told(
    decides: bool, people: int, without_template: int, trouble: Trouble, code: NoticeCode
) -> None:
    gallery = GalleryState(people=people, templates=people, samples_without_template=without_template)
    message = rendering.notice(fakes.active_pack(decides=decides), gallery, trouble=trouble)
    assert message == {"type": "notice", "code": code.value, "people": people}
