"""What is old goes, what is held stays, and the sealed log stays whole."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection

from recognition.models import (
    ActionDelivery,
    Alert,
    AuditAction,
    AuditEntry,
    ErasureRequest,
    EventCrop,
    EventOverride,
    FaceSample,
    Person,
    RecognitionEvent,
    RetentionRule,
    SealedContent,
    Verdict,
)
from recognition.selectors import retention as read
from recognition.services import legal, merging, retention, sealed_log
from recognition.services.retention import Removed, RetentionRefused
from tests import fakes
from tests.integration.recognition.services.test_sealed_log import settle

pytestmark = pytest.mark.django_db

NOW = fakes.NOW


def rule(code: str = "accepted", **days: int) -> RetentionRule:
    found = RetentionRule.objects.get_or_create(code=code)[0]
    retention.change_rule(rule=found, event_days=days.get("event_days"), crop_days=days.get("crop_days"), actor=None)
    return found


def event(age_days: float = 100, **changes: Any) -> RecognitionEvent:
    """An event of so long ago, with a picture."""
    then = NOW - dt.timedelta(days=age_days)
    made = fakes.event(started_at=then, decided_at=then, **changes)
    EventCrop.objects.create(event=made, jpeg=b"a crop")
    settle()
    return made


def applied() -> tuple[int, int]:
    removed = retention.apply(now=NOW)
    settle()
    with connection.cursor() as cursor:
        assert sealed_log.look_through(cursor=cursor).is_whole
    return removed.events, removed.crops


class TestRules:
    def test_at_first_everything_is_kept(self) -> None:
        assert RetentionRule.objects.count() == 4
        event(age_days=10_000)
        assert applied() == (0, 0)

    def test_a_change_is_recorded_with_before_and_after(self) -> None:
        rule(event_days=30)
        rule(event_days=30)
        entry = AuditEntry.objects.get(action=AuditAction.RETENTION_CHANGED)
        assert entry.subject == "retentionrule:accepted"
        assert entry.details == {
            "before": {"event_days": None, "crop_days": None},
            "after": {"event_days": 30, "crop_days": None},
        }

    @pytest.mark.parametrize("days", [0, 40_000])
    def test_days_that_cannot_be_are_refused(self, days: int) -> None:
        with pytest.raises(RetentionRefused, match="Ensure this value"):
            rule(event_days=days)


class TestApply:
    @pytest.mark.parametrize(("age_days", "removed"), [(29.9, 0), (30.1, 1)])
    def test_an_event_goes_after_its_days(self, age_days: float, removed: int) -> None:
        rule(event_days=30)
        event(age_days)
        assert applied() == (removed, 0)
        assert RecognitionEvent.objects.count() == 1 - removed

    @pytest.mark.parametrize(
        ("code", "changes"),
        [
            ("accepted", {"decision": "accept"}),
            ("refused", {"decision": "reject_not_allowed"}),
            ("refused", {"decision": "reject_no_match", "kind": "verification"}),
            ("unknown", {"decision": "reject_no_match"}),
            ("no_decision", {"decision": "no_decision_timeout"}),
        ],
    )
    def test_each_class_has_its_own(self, code: str, changes: dict[str, Any]) -> None:
        event(**changes)
        for other in {"accepted", "refused", "unknown", "no_decision"} - {code}:
            rule(other, event_days=1, crop_days=1)
        assert applied() == (0, 0)
        rule(code, event_days=1)
        assert applied() == (1, 0)

    def test_pictures_go_apart_from_events(self) -> None:
        rule(crop_days=30)
        old, new = event(), event(1)
        assert applied() == (0, 1)
        assert list(EventCrop.objects.values_list("pk", flat=True)) == [new.pk]
        assert RecognitionEvent.objects.filter(pk=old.pk).exists()
        assert applied() == (0, 0)

    def test_all_that_belongs_to_an_event_goes_with_it_and_is_named(self) -> None:
        rule(event_days=30)
        ada = fakes.person("Ada")
        old = event(best_person=ada, claimed_id="ada-1", claimed_person=ada)
        override = EventOverride.objects.create(event=old, outcome="admitted", reason="r")
        first = Verdict.objects.create(event=old, code="false_match", at=NOW)
        second = Verdict.objects.create(event=old, code="true_match", at=NOW, supersedes=first)
        Alert.objects.create(event=old)
        ActionDelivery.objects.create(checkpoint=fakes.checkpoint(), event=old, override=override, expires_at=NOW)
        sample = FaceSample.objects.create(person=ada, source="event", event=old, quality={}, image_sha256="1")
        settle()
        assert applied() == (1, 0)
        entry = AuditEntry.objects.get(action=AuditAction.RETENTION_APPLIED)
        assert entry.details["removed"] == {
            "event": [old.pk],
            "claim": [old.pk],
            "crop": [old.pk],
            "override": [override.pk],
            "verdict": [first.pk, second.pk],
        }
        assert set(SealedContent.objects.values_list("kind", flat=True)) == {"audit"}
        sample.refresh_from_db()
        assert sample.event is None

    def test_it_goes_in_steps_and_what_is_left_goes_at_the_next_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retention, "EVENTS_A_STEP", 2)
        monkeypatch.setattr(retention, "STEPS_A_RUN", 2)
        rule(event_days=30)
        for _ in range(5):
            event()
        assert applied() == (4, 0)
        assert applied() == (1, 0)

    def test_what_was_erased_before_goes_too(self) -> None:
        rule(event_days=30)
        ada = fakes.person("Ada")
        event(best_person=ada, claimed_id="ada-1", claimed_person=ada)
        fakes.erase(ada)
        settle()
        assert applied() == (1, 0)


class TestHolds:
    def test_an_event_under_hold_keeps_all_it_has_until_it_is_lifted(self) -> None:
        rule(event_days=30, crop_days=10)
        old = event()
        hold = retention.place_hold(event=old, reason="a dispute", actor=None)
        event()
        assert applied() == (1, 0)
        assert EventCrop.objects.filter(event=old).exists()
        retention.lift_hold(hold=hold, actor=None, now=NOW)
        assert applied() == (1, 0)
        actions = {AuditAction.EVENT_HELD, AuditAction.EVENT_HOLD_LIFTED}
        assert AuditEntry.objects.filter(action__in=actions, subject=f"recognitionevent:{old.pk}").count() == 2

    @pytest.mark.parametrize("link", ["person", "claimed_person", "best_person", "runner_up"])
    def test_a_person_under_hold_keeps_the_events_that_show_them(self, link: str) -> None:
        rule(event_days=30, crop_days=10)
        ada = fakes.person("Ada")
        changes: Any = {link: ada}
        event(**changes)
        hold = legal.place_hold(person=ada, reason="a lawsuit", actor=None)
        assert applied() == (0, 0)
        legal.lift_hold(hold=hold, actor=None, now=NOW)
        assert applied() == (1, 0)

    def test_after_a_merge_the_hold_on_either_keeps_the_events_of_both(self) -> None:
        rule(event_days=30)
        ada, other = fakes.person("Ada"), fakes.person("Ada again")
        event(best_person=ada)
        event(best_person=other)
        legal.place_hold(person=other, reason="a lawsuit", actor=None)
        merging.merge(keep=ada, gone=other, actor=None)
        assert applied() == (0, 0)

    def test_a_hold_needs_a_reason_and_is_lifted_once(self) -> None:
        old = event()
        with pytest.raises(RetentionRefused, match="reason"):
            retention.place_hold(event=old, reason=" ", actor=None)
        hold = retention.place_hold(event=old, reason="a dispute", actor=None)
        retention.lift_hold(hold=hold, actor=None, now=NOW)
        with pytest.raises(RetentionRefused, match="already"):
            retention.lift_hold(hold=hold, actor=None, now=NOW)

    def test_one_on_an_event_that_went_meanwhile_is_refused(self) -> None:
        rule(event_days=30)
        old = event()
        applied()
        with pytest.raises(RetentionRefused, match="removed meanwhile"):
            retention.place_hold(event=old, reason="a dispute", actor=None)

    def test_an_erasure_waits_for_it(self) -> None:
        ada = fakes.person("Ada")
        old = event(best_person=ada, claimed_id="ada-1", claimed_person=ada)
        hold = retention.place_hold(event=old, reason="a dispute", actor=None)
        assert fakes.erase(ada).state == ErasureRequest.State.WAITING_FOR_HOLD
        assert EventCrop.objects.filter(event=old).exists()
        (asked,) = retention.lift_hold(hold=hold, actor=None, now=NOW)
        assert asked.state == ErasureRequest.State.DONE
        assert not Person.objects.exists()


class TestReport:
    def test_it_says_what_would_go_and_removes_nothing(self) -> None:
        rule(event_days=30, crop_days=10)
        rule("unknown", crop_days=10)
        event()
        held = event()
        event(20)
        event(decision="reject_no_match")
        retention.place_hold(event=held, reason="a dispute", actor=None)
        found = {
            due.rule.code: (due.events, due.held_events, due.crops, due.held_crops) for due in read.report(now=NOW)
        }
        assert found == {
            "accepted": (1, 1, 1, 0),
            "refused": (0, 0, 0, 0),
            "unknown": (0, 0, 1, 0),
            "no_decision": (0, 0, 0, 0),
        }
        assert list(found) == ["accepted", "refused", "unknown", "no_decision"]
        assert RecognitionEvent.objects.count() == EventCrop.objects.count() == 4
        assert retention.apply(now=NOW) == Removed(events=1, crops=2)
