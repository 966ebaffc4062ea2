from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from recognition.decision.reviews import ReviewVerdict
from recognition.models import AuditEntry, EventOverride
from recognition.selectors.event_filters import LIVE_PAGE, VIDEO, EventFilter
from recognition.services import event_export, reviews
from recognition.services.event_export import COLUMNS, ExportFormat
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor() -> User:
    return fakes.in_role("auditor")


def exported(wanted: EventFilter, form: ExportFormat, user: User) -> str:
    return b"".join(event_export.export(wanted=wanted, form=form, actor=user)).decode()


def rows(wanted: EventFilter, user: User) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(wanted, ExportFormat.JSON_LINES, user).splitlines()]


def cells(user: User) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exported(EventFilter(), ExportFormat.CSV, user))))


def test_of_nothing_there_is_a_header_alone(auditor: User) -> None:
    assert exported(EventFilter(), ExportFormat.CSV, auditor) == ",".join(COLUMNS) + "\r\n"
    assert exported(EventFilter(), ExportFormat.JSON_LINES, auditor) == ""


def test_what_is_exported_is_audited_before_the_first_row_without_the_text(auditor: User) -> None:
    pieces = event_export.export(
        wanted=EventFilter(decisions=("accept",), text="Ada", since=fakes.NOW), form=ExportFormat.CSV, actor=auditor
    )
    entry = AuditEntry.objects.get(action="events.exported")
    assert (entry.actor, entry.subject) == (auditor, "installation")
    assert entry.details == {
        "format": "csv",
        "filter": {"decisions": ["accept"], "text": True, "since": "2026-03-01T12:00:00+00:00"},
    }
    assert len(list(pieces)) == 1


@pytest.mark.parametrize(("wanted", "noted"), [(LIVE_PAGE, {"checkpoint": 0}), (VIDEO, {"checkpoint": -1}), (None, {})])
def test_an_export_of_the_live_page_or_of_videos_is_audited_as_such(
    auditor: User, wanted: int | None, noted: dict[str, int]
) -> None:
    event_export.export(wanted=EventFilter(checkpoint=wanted), form=ExportFormat.CSV, actor=auditor)
    assert AuditEntry.objects.get(action="events.exported").details["filter"] == noted


def test_both_formats_hold_what_the_filter_shows(auditor: User) -> None:
    fakes.activated_pack()
    ada = fakes.person("Ada, “the first”")
    reason = {"reason": "below_threshold", "measured": 0.3, "required": 0.5}
    door = fakes.checkpoint("door")
    event = fakes.event(
        decision="reject_no_match",
        kind="verification",
        claimed_id="E-1",
        claimed_person=ada,
        best_person=ada,
        similarity=0.3,
        margin=-0.1,
        checkpoint=door,
        reasons=[reason],
        quality={"scores": {"UnifiedQualityScore": 61}},
    )
    fakes.event()
    EventOverride.objects.create(event=event, outcome="admitted", reason="Known\nto the guard")
    reviews.give(event=event, code=ReviewVerdict.FALSE_NON_MATCH, note="", actor=auditor, now=fakes.NOW)
    expected = {
        "event": event.pk,
        "transaction": str(event.transaction),
        "decided_at": "2026-03-01T12:00:00+00:00",
        "started_at": "2026-03-01T12:00:00+00:00",
        "kind": "verification",
        "checkpoint": "door",
        "decision": "reject_no_match",
        "reasons": ["below_threshold"],
        "person": None,
        "person_id": None,
        "claimed_id": "E-1",
        "claimed_person": "Ada, “the first”",
        "closest_person": "Ada, “the first”",
        "next_person": None,
        "similarity": 0.3,
        "margin": -0.1,
        "policy_version": 1,
        "model_pack": "fake-pack",
        "quality_score": 61,
        "override": "admitted",
        "override_reason": "Known\nto the guard",
        "verdicts": ["false_non_match"],
        "place": "checkpoint",
    }
    assert rows(EventFilter(decisions=("reject_no_match",)), auditor) == [expected]
    (row,) = (row for row in cells(auditor) if row["event"] == str(event.pk))
    assert row["reasons"] == "below_threshold"
    assert (row["margin"], row["person"], row["override_reason"]) == ("-0.1", "", "Known\nto the guard")


def test_without_a_checkpoint_the_place_says_what_it_was_instead(auditor: User) -> None:
    fakes.event(reasons=fakes.FROM_VIDEO)
    fakes.event(decided_at=fakes.NOW - dt.timedelta(minutes=1))
    assert [(row["checkpoint"], row["place"]) for row in rows(EventFilter(), auditor)] == [
        (None, "video"),
        (None, "live_page"),
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_taken_for_a_formula(auditor: User, start: str) -> None:
    fakes.activated_pack()
    evil = f"{start}HYPERLINK(1)"
    event = fakes.event(claimed_id=evil, best_person=fakes.person(evil))
    EventOverride.objects.create(event=event, outcome="admitted", reason=evil)
    (row,) = cells(auditor)
    assert [row[name] for name in ("claimed_id", "closest_person", "override_reason")] == [f"'{evil}"] * 3
    assert rows(EventFilter(), auditor)[0]["claimed_id"] == evil


def test_whoever_may_not_see_verdicts_gets_none(auditor: User) -> None:
    event = fakes.event()
    reviews.give(event=event, code=ReviewVerdict.SPOOF, note="", actor=auditor, now=fakes.NOW)
    assert rows(EventFilter(), fakes.user("export_recognitionevent"))[0]["verdicts"] == []


def test_more_events_than_a_piece_come_in_pieces(auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_export, "ROWS_A_CHUNK", 2)
    numbers = [fakes.event().pk for _ in range(5)]
    pieces = list(event_export.export(wanted=EventFilter(), form=ExportFormat.JSON_LINES, actor=auditor))
    assert [piece.count(b"\n") for piece in pieces] == [2, 2, 1]
    assert [json.loads(line)["event"] for piece in pieces for line in piece.splitlines()] == numbers[::-1]
