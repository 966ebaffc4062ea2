"""Lockouts, alerts, the deny list, overrides, PINs and checkpoints: what staff change, each with its audit entry."""

from __future__ import annotations

import datetime as dt
import functools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from recognition.decision.verdict import Decision
from recognition.models import (
    ActionDelivery,
    Alert,
    AuditAction,
    AuditEntry,
    Checkpoint,
    ClaimLockout,
    DenyListEntry,
    EventOverride,
    Person,
    PersonGroup,
    RecognitionEvent,
)
from recognition.selectors import packs
from recognition.services import alerts, checkpoints, deny_list, events, lockouts, overrides, people
from recognition.services.deny_list import DenyListRefused
from recognition.services.events import Setting, TransactionRecord
from recognition.services.frames import FrameTimings
from recognition.services.overrides import OverrideRefused
from recognition.services.people import PinRefused
from tests import fakes

pytestmark = pytest.mark.django_db

Outcome = EventOverride.Outcome


@pytest.fixture(autouse=True)
def pack() -> None:
    fakes.activated_pack()


@pytest.fixture
def door() -> Checkpoint:
    return fakes.checkpoint(action_url="http://door.example/open")


@pytest.fixture
def guard() -> User:
    return fakes.user()


@pytest.fixture
def ada() -> Person:
    return fakes.person("Ada Lovelace", fakes.probe())


def refused(door: Checkpoint | None, *, raises_alert: bool = False) -> RecognitionEvent:
    decision = Decision.REJECT_NOT_ALLOWED if raises_alert else Decision.REJECT_NO_MATCH
    record = TransactionRecord(
        decision, None, (), (), packs.active(), None, b"", duration_s=0, timings=FrameTimings(), runtime=""
    )
    setting = Setting(checkpoint_id=door.pk if door else None)
    return events.write(record=record, reasons=(), setting=setting, now=timezone.now(), raises_alert=raises_alert)


def entry(action: AuditAction) -> AuditEntry:
    return AuditEntry.objects.get(action=action)


def test_a_lifted_lockout_holds_nothing_against_the_person(door: Checkpoint, ada: Person, guard: User) -> None:
    row = ClaimLockout.objects.create(
        checkpoint=door, person=ada, failures=20, is_stopped=True, locked_until=timezone.now()
    )
    lockouts.lift(lockout=row, actor=guard)
    row.refresh_from_db()
    assert (row.failures, row.is_stopped, row.locked_until) == (0, False, None)
    assert entry(AuditAction.LOCKOUT_LIFTED).details == {
        "checkpoint": door.pk,
        "person": ada.pk,
        "failures": 20,
        "was_stopped": True,
    }


def test_an_alert_keeps_who_saw_it_first(door: Checkpoint, guard: User) -> None:
    alert = Alert.objects.get(event=refused(door, raises_alert=True))
    for actor in (guard, fakes.user()):
        alerts.acknowledge(alert=alert, actor=actor, now=fakes.NOW)
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.acknowledged_at) == (guard, fakes.NOW)
    assert entry(AuditAction.ALERT_ACKNOWLEDGED).actor == guard


class TestTheDenyList:
    def test_takes_a_person_once_and_only_with_a_reason(self, ada: Person, guard: User) -> None:
        with pytest.raises(DenyListRefused, match="reason"):
            deny_list.add(person=ada, reason=" \n", actor=guard)
        deny_list.add(person=ada, reason=" Broke a window. ", actor=guard)
        with pytest.raises(DenyListRefused, match="already"):
            deny_list.add(person=ada, reason="Again.", actor=guard)
        assert DenyListEntry.objects.get().reason == "Broke a window."

    def test_is_audited_without_reason_or_name(self, ada: Person, guard: User) -> None:
        deny_list.remove(entry=deny_list.add(person=ada, reason="Broke a window.", actor=guard), actor=guard)
        assert not DenyListEntry.objects.exists()
        for action in (AuditAction.DENY_LIST_ADDED, AuditAction.DENY_LIST_REMOVED):
            assert (entry(action).subject, entry(action).details) == (f"person:{ada.pk}", {})


class TestAnOverride:
    def test_leaves_the_event_as_it_was(self, door: Checkpoint, guard: User) -> None:
        event = refused(door)
        before = RecognitionEvent.objects.values().get(pk=event.pk)
        overrides.override(
            event=event, outcome=Outcome.REFUSED, reason="Drunk.", actor=guard, opens_door=False, now=timezone.now()
        )
        assert RecognitionEvent.objects.values().get(pk=event.pk) == before
        assert entry(AuditAction.EVENT_OVERRIDDEN).details["outcome"] == "refused"
        assert not ActionDelivery.objects.exists()

    def test_needs_a_reason(self, door: Checkpoint, guard: User) -> None:
        with pytest.raises(OverrideRefused, match="reason"):
            overrides.override(
                event=refused(door), outcome=Outcome.ADMITTED, reason="\t", actor=guard, opens_door=False, now=fakes.NOW
            )
        assert not EventOverride.objects.exists()

    @pytest.mark.parametrize(("age_s", "opens"), [(0, True), (119, True), (120, False)])
    def test_opens_the_door_of_a_recent_event_only(
        self, door: Checkpoint, guard: User, age_s: float, opens: bool
    ) -> None:
        event = refused(door)
        now = event.decided_at + dt.timedelta(seconds=age_s)
        assert overrides.can_open_door(event=event, now=now) is opens
        if not opens:
            with pytest.raises(OverrideRefused, match="two minutes"):
                overrides.override(
                    event=event, outcome=Outcome.ADMITTED, reason="Known.", actor=guard, opens_door=True, now=now
                )
            return
        row = overrides.override(
            event=event, outcome=Outcome.ADMITTED, reason="Known.", actor=guard, opens_door=True, now=now
        )
        assert ActionDelivery.objects.get().override == row

    def test_is_kept_once_and_calls_the_door_once(self, door: Checkpoint, guard: User) -> None:
        event = refused(door)
        override = functools.partial(
            overrides.override, event=event, outcome=Outcome.ADMITTED, opens_door=True, now=event.decided_at
        )
        override(reason="Known.", actor=guard)
        with pytest.raises(OverrideRefused, match="already"):
            override(reason="Sent again.", actor=fakes.user())
        assert EventOverride.objects.get().reason == "Known."
        assert entry(AuditAction.EVENT_OVERRIDDEN).actor == guard
        assert ActionDelivery.objects.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_from_several_tabs_at_once_calls_the_door_once(self, door: Checkpoint, guard: User) -> None:
        event, together = refused(door), threading.Barrier(4)

        def override(number: int) -> bool:
            together.wait()
            try:
                overrides.override(
                    event=event,
                    outcome=Outcome.ADMITTED,
                    reason=f"Tab {number}.",
                    actor=guard,
                    opens_door=True,
                    now=event.decided_at,
                )
            except OverrideRefused:
                return False
            finally:
                connection.close()
            return True

        with ThreadPoolExecutor(together.parties) as tabs:
            assert sorted(tabs.map(override, range(together.parties))) == [False, False, False, True]
        assert ActionDelivery.objects.get().override == EventOverride.objects.get()

    def test_opens_no_door_for_somebody_turned_away(self, door: Checkpoint, guard: User) -> None:
        with pytest.raises(OverrideRefused, match="let in"):
            overrides.override(
                event=refused(door),
                outcome=Outcome.REFUSED,
                reason="x",
                actor=guard,
                opens_door=True,
                now=timezone.now(),
            )

    def test_opens_nothing_where_there_is_no_door(self, guard: User) -> None:
        lobby, closed = (
            fakes.checkpoint("lobby"),
            fakes.checkpoint("closed", is_active=False, action_url="http://a.example"),
        )
        for event in (refused(None), refused(lobby), refused(closed)):
            assert not overrides.can_open_door(event=event, now=timezone.now())


class TestAPin:
    @pytest.mark.parametrize("pin", ["1234", "00000000"])
    def test_is_kept_as_a_hash_and_recognised(self, ada: Person, guard: User, pin: str) -> None:
        people.set_pin(person=ada, pin=pin, actor=guard)
        ada.refresh_from_db()
        assert pin not in ada.pin_hash
        assert people.is_pin_right(person=ada, pin=pin) is True
        assert people.is_pin_right(person=ada, pin=pin + "0") is False
        assert pin not in str(entry(AuditAction.PERSON_PIN_SET).details)

    @pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "١٢٣٤", "1234\n"])
    def test_is_four_to_eight_digits(self, ada: Person, guard: User, pin: str) -> None:
        with pytest.raises(PinRefused, match="4 to 8 digits"):
            people.set_pin(person=ada, pin=pin, actor=guard)

    def test_that_is_missing_compares_with_nothing(self, ada: Person, guard: User) -> None:
        assert people.is_pin_right(person=ada, pin="1234") is None
        assert people.is_pin_right(person=None, pin="1234") is None
        assert people.is_pin_right(person=None, pin=None) is None
        people.set_pin(person=ada, pin="1234", actor=guard)
        assert people.is_pin_right(person=ada, pin=None) is False
        people.set_pin(person=ada, pin=None, actor=guard)
        assert people.is_pin_right(person=ada, pin="1234") is None


class TestACheckpoint:
    def test_is_saved_with_the_names_of_what_changed(self, guard: User) -> None:
        group = PersonGroup.objects.create(name="staff")
        door = Checkpoint(name="Door", slug="door")
        checkpoints.save_checkpoint(checkpoint=door, changed=["name"], groups=[group], actor=guard)
        assert list(door.allowed_groups.all()) == [group]
        assert entry(AuditAction.CHECKPOINT_SAVED).details["fields"] == ["name"]

    def test_is_recorded_before_and_after_without_what_the_webhook_keeps_secret(
        self, door: Checkpoint, guard: User
    ) -> None:
        group = PersonGroup.objects.create(name="staff")
        door.action_url, door.mode = "https://key@relay.example:8443/open?token=hush", Checkpoint.Mode.VERIFY
        changed = ["action_url", "mode", "allowed_groups"]
        checkpoints.save_checkpoint(checkpoint=door, changed=changed, groups=[group], actor=guard)
        details = entry(AuditAction.CHECKPOINT_SAVED).details
        assert (details["before"]["mode"], details["after"]["mode"]) == ("both", "verify")
        assert details["after"]["groups"] == [group.pk]
        assert details["after"]["action_host"] == "relay.example"
        assert not any(secret in str(details) for secret in ("hush", "key@", door.action_secret))

    def test_a_group_is_recorded_with_its_name_before_and_after(self, guard: User) -> None:
        group = PersonGroup(name="staff")
        checkpoints.save_group(group=group, actor=guard)
        group.name = "night shift"
        checkpoints.save_group(group=group, actor=guard)
        saved = AuditEntry.objects.filter(action=AuditAction.GROUP_SAVED).order_by("pk")
        assert [each.details for each in saved] == [
            {"before": {}, "after": {"name": "staff"}},
            {"before": {"name": "staff"}, "after": {"name": "night shift"}},
        ]

    def test_keeps_a_key_that_was_made_while_its_form_was_open(self, door: Checkpoint, guard: User) -> None:
        in_a_form = Checkpoint.objects.get()
        checkpoints.make_new_key(checkpoint=door, actor=guard)
        in_a_form.name = "Another name"
        checkpoints.save_checkpoint(checkpoint=in_a_form, changed=["name"], groups=None, actor=guard)
        stored = Checkpoint.objects.get()
        assert (stored.name, stored.action_secret) == ("Another name", door.action_secret)
        assert door.action_secret not in str(list(AuditEntry.objects.values()))

    def test_admits_nobody_when_its_last_group_is_deleted(self, guard: User) -> None:
        group = PersonGroup(name="staff")
        checkpoints.save_group(group=group, actor=guard)
        door = fakes.checkpoint("door", group)
        checkpoints.delete_group(group=group, actor=guard)
        assert (door.admits, list(door.allowed_groups.all())) == ("groups", [])
        assert entry(AuditAction.GROUP_DELETED).details == {"checkpoints": [door.pk]}


def test_a_form_that_was_open_for_long_takes_back_no_suspension(ada: Person, guard: User) -> None:
    in_a_form = Person.objects.get()
    Person.objects.update(is_suspended=True)
    in_a_form.name = "Ada King"
    people.save_person(person=in_a_form, changed=["name"], actor=guard, groups=[PersonGroup.objects.create(name="a")])
    stored = Person.objects.get()
    assert (stored.name, stored.is_suspended, stored.groups.get().name) == ("Ada King", True, "a")
