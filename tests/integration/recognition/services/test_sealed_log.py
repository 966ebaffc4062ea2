"""The sealed log: what is stored is sealed when it is committed, and whatever is changed is found."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from faceweb import env
from recognition.models import (
    AuditAction,
    AuditEntry,
    EventCrop,
    EventHold,
    EventOverride,
    LegalHold,
    RecognitionEvent,
    SealedContent,
    SealedKind,
    SealedRow,
    Verdict,
)
from recognition.sealing.chain import GENESIS, Broken, ChainRow, Fault
from recognition.selectors import sealed_log as read
from recognition.services import audit, legal, merging, overrides, people, retention, sealed_log
from tests import fakes, sealed_log_size
from tests.integration.recognition.services.test_merging import until_somebody_waits
from tests.other_databases import second_connection

pytestmark = pytest.mark.django_db
WRITER = """
import sys, time, psycopg
with psycopg.connect(sys.argv[1], dbname=sys.argv[2]) as connection:
    connection.execute(
        "INSERT INTO recognition_auditentry (at, action, subject, details) VALUES (now(), 'x', 'lost', '{}')"
    )
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")  # it is sealed, and holds the head
    print("sealed", flush=True)
    time.sleep(60)
"""

committing = pytest.mark.django_db(transaction=True)

TABLES = ("sealedrow", "sealedcontent", "recognitionevent", "eventcrop", "eventoverride", "verdict", "auditentry")


def settle() -> None:
    """What the end of a transaction does."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


@contextlib.contextmanager
def tampering() -> Iterator[Any]:
    """A cursor of whoever owns the tables, with no trigger in the way."""
    settle()
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE recognition_{table} DISABLE TRIGGER USER")
        yield cursor
        settle()
        for table in TABLES:
            cursor.execute(f"ALTER TABLE recognition_{table} ENABLE TRIGGER USER")


def broken() -> Broken | None:
    settle()
    with connection.cursor() as cursor:
        return sealed_log.look_through(cursor=cursor).first_broken


def _address() -> tuple[str, str]:
    return env.DATABASE_URL.read(), str(connection.settings_dict["NAME"])


def row_of(kind: SealedKind, number: int) -> SealedRow:
    settle()
    return SealedRow.objects.get(kind=kind, row_id=number)


def kinds() -> list[str]:
    settle()
    return list(SealedRow.objects.values_list("kind", flat=True))


@pytest.fixture
def event() -> RecognitionEvent:
    """Of Ada, who claimed an id, with a picture and an override."""
    ada = fakes.person("Ada")
    event = fakes.event(
        person=ada,
        best_person=ada,
        claimed_id="ada-1",
        claimed_person=ada,
        similarity=0.7312,
        votes=[{"decision": "accept", "similarity": 0.7312, "counts": True}],
        thresholds={"margin": 0.1},
    )
    EventCrop.objects.create(event=event, jpeg=b"a crop")
    overrides.override(
        event=event,
        outcome=EventOverride.Outcome.REFUSED,
        reason="the wrong card",
        actor=fakes.user(),
        opens_door=False,
        now=fakes.NOW,
    )
    Verdict.objects.create(event=event, code="false_match", by=fakes.user(), at=fakes.NOW)
    settle()
    return event


class TestSealing:
    @committing
    def test_an_empty_log_is_whole(self) -> None:
        found = sealed_log.verify()
        assert (found.rows, found.head, found.first_broken) == (0, GENESIS, None)
        assert found.rows_per_s == 0.0

    def test_what_is_stored_is_sealed_in_the_order_of_storing(self, event: RecognitionEvent) -> None:
        assert kinds()[-6:] == ["event", "claim", "crop", "override", "audit", "verdict"]
        assert broken() is None

    @committing
    def test_it_is_looked_through_as_of_one_moment(self, event: RecognitionEvent) -> None:
        found = sealed_log.verify()
        assert (found.first_broken, found.rows) == (None, SealedRow.objects.count())
        assert found.head == bytes(SealedRow.objects.latest("position").hash)
        assert found.rows_per_s > 0

    @committing
    def test_nothing_is_sealed_that_is_rolled_back(self) -> None:
        with transaction.atomic():
            fakes.event()
            transaction.set_rollback(True)
        assert kinds() == []

    def test_many_entries_of_one_statement_are_sealed_each(self) -> None:
        somebody = fakes.person()
        audit.record_all(action=AuditAction.PERSON_CHANGED, actor=None, changes=[(somebody, {}), (somebody, {})])
        assert kinds() == ["audit", "audit"]
        assert broken() is None

    def test_the_chain_holds_nothing_of_the_content(self, event: RecognitionEvent) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT string_agg(s::text, ' ') FROM recognition_sealedrow s")
            text = cursor.fetchone()[0]
        assert not [word for word in ("ada-1", "accept", "0.7312", "wrong") if word in text]

    @pytest.mark.parametrize("model", [SealedRow, SealedContent])
    def test_the_database_refuses_changes(self, model: Any, event: RecognitionEvent) -> None:
        with pytest.raises(IntegrityError, match="added and never changed"):
            model.objects.update(kind="audit")

    def test_the_database_refuses_that_a_row_goes(self, event: RecognitionEvent) -> None:
        with pytest.raises(IntegrityError, match="added and never changed"):
            SealedRow.objects.filter(position=1).delete()

    @pytest.mark.parametrize("value", [1e300, 1e-300, -0.0, 0.1 + 0.2, 2**70, 1e16, "é\u2028", {"b": 1, "a": [None]}])
    def test_any_value_that_json_holds_is_sealed_as_it_is_read(self, value: Any) -> None:
        audit.record(action=AuditAction.PERSON_CHANGED, actor=None, subject=None, details={"value": value})
        assert broken() is None


@committing
class TestWriters:
    def test_of_two_at_a_time_each_follows_the_other(self, event: RecognitionEvent) -> None:
        pack, policy = event.pack, event.policy

        def store() -> None:
            try:
                for _ in range(20):
                    RecognitionEvent.objects.create(
                        decision="accept", pack=pack, policy=policy, started_at=fakes.NOW, decided_at=fakes.NOW
                    )
            finally:
                connection.close()

        threads = [threading.Thread(target=store) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = sealed_log.verify()
        assert found.first_broken is None
        assert kinds().count("event") == 81

    def test_one_that_has_not_committed_holds_up_nobody(self, event: RecognitionEvent) -> None:
        with second_connection() as other, other.transaction():
            other.execute(
                "INSERT INTO recognition_auditentry (at, action, subject, details) VALUES (now(), 'x', 'slow', '{}')"
            )
            audit.record(action=AuditAction.PERSON_CHANGED, actor=None, subject=None, details={"who": "quick"})
        subjects = [AuditEntry.objects.get(pk=row.row_id).subject for row in SealedRow.objects.filter(kind="audit")]
        assert subjects[-2:] == ["installation", "slow"]
        assert broken() is None

    def test_one_that_waits_for_a_row_of_another_at_its_end_is_no_deadlock(self, event: RecognitionEvent) -> None:
        """The foreign key of the second entry is looked at after the first was to be sealed."""
        actor = fakes.user()
        is_held = threading.Event()

        def hold() -> None:
            try:
                with transaction.atomic():
                    type(actor).objects.select_for_update().get(pk=actor.pk)
                    is_held.set()
                    until_somebody_waits()
                    audit.record(action=AuditAction.PERSON_CHANGED, actor=None, subject=None)
            finally:
                connection.close()

        holder = threading.Thread(target=hold)
        holder.start()
        is_held.wait(10)

        def store() -> None:
            try:
                with transaction.atomic():
                    audit.record(action=AuditAction.PERSON_CHANGED, actor=None, subject=None)
                    audit.record(action=AuditAction.PERSON_CHANGED, actor=actor, subject=None)
            finally:
                connection.close()

        writer = threading.Thread(target=store)
        writer.start()
        holder.join(10)
        writer.join(10)
        assert not holder.is_alive()
        assert not writer.is_alive()
        assert AuditEntry.objects.filter(action=AuditAction.PERSON_CHANGED).count() == 3
        assert broken() is None

    def test_one_that_is_killed_in_the_middle_leaves_nothing(self, event: RecognitionEvent) -> None:
        before = kinds()
        with subprocess.Popen([sys.executable, "-c", WRITER, *_address()], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "sealed\n"
            writer.kill()
        # It waits until the server has noticed, as every writer does.
        audit.record(action=AuditAction.PERSON_CHANGED, actor=None, subject=None)
        assert kinds() == [*before, "audit"]
        assert not AuditEntry.objects.filter(subject="lost").exists()
        assert broken() is None


class TestTampering:
    @pytest.mark.parametrize(
        "change",
        [
            "decision = 'reject_no_match'",
            "reasons = '[{}]'",
            "similarity = similarity + 1e-9",
            "votes = '[]'",
            "thresholds = '{}'",
            "timings = '{\"total\": 1}'",
            "decided_at = decided_at + interval '1 microsecond'",
            "transaction = gen_random_uuid()",
            "kind = 'verification'",
            "person_id = (SELECT max(id) FROM recognition_person)",
            "runner_up_id = best_person_id",
        ],
    )
    def test_a_changed_event_is_named(self, change: str, event: RecognitionEvent) -> None:
        fakes.person("Bob")
        with tampering() as cursor:
            cursor.execute(f"UPDATE recognition_recognitionevent SET {change}")  # noqa: S608
        place = row_of(SealedKind.EVENT, event.pk).position
        assert broken() == Broken(Fault.CONTENT_CHANGED, place, "event", event.pk)

    def test_a_link_that_was_emptied_while_its_person_is_there_is_named(self, event: RecognitionEvent) -> None:
        RecognitionEvent.objects.update(person=None)  # which the guard of events lets through
        place = row_of(SealedKind.EVENT, event.pk).position
        assert broken() == Broken(Fault.LINK_EMPTIED, place, "event", event.pk)

    @pytest.mark.parametrize(
        ("kind", "change"),
        [
            ("claim", "UPDATE recognition_recognitionevent SET claimed_id = 'bob-1'"),
            ("crop", "UPDATE recognition_eventcrop SET jpeg = 'another'"),
            ("verdict", "UPDATE recognition_verdict SET code = 'true_match'"),
            ("override", "UPDATE recognition_eventoverride SET reason = 'none'"),
        ],
    )
    def test_whatever_else_is_changed_is_named(self, kind: str, change: str, event: RecognitionEvent) -> None:
        with tampering() as cursor:
            cursor.execute(change)
        found = broken()
        assert found is not None
        assert (found.fault, found.kind) == (Fault.CONTENT_CHANGED, kind)

    @pytest.mark.parametrize("kind", [SealedKind.HOLD, SealedKind.EVENT_HOLD])
    def test_why_something_is_held_is_sealed(self, kind: SealedKind, event: RecognitionEvent) -> None:
        assert event.person is not None
        by = fakes.user()
        if kind is SealedKind.HOLD:
            legal.lift_hold(
                hold=legal.place_hold(person=event.person, reason="a lawsuit", actor=by), actor=by, now=fakes.NOW
            )
        else:
            retention.lift_hold(
                hold=retention.place_hold(event=event, reason="a dispute", actor=by), actor=by, now=fakes.NOW
            )
        by.delete()
        assert broken() is None
        with connection.cursor() as cursor:
            table = LegalHold._meta.db_table if kind is SealedKind.HOLD else EventHold._meta.db_table
            cursor.execute(f"UPDATE {table} SET reason = 'none'")  # noqa: S608
        found = broken()
        assert found is not None
        assert (found.fault, found.kind) == (Fault.CONTENT_CHANGED, kind)

    def test_a_changed_audit_entry_is_named(self, event: RecognitionEvent) -> None:
        entry = AuditEntry.objects.earliest("pk")
        with tampering() as cursor:
            cursor.execute("UPDATE recognition_auditentry SET details = '{}', subject = 'x' WHERE id = %s", [entry.pk])
        place = row_of(SealedKind.AUDIT, entry.pk).position
        assert broken() == Broken(Fault.CONTENT_CHANGED, place, "audit", entry.pk)

    def test_a_deleted_row_is_named(self, event: RecognitionEvent) -> None:
        number = EventOverride.objects.get().pk
        place = row_of(SealedKind.OVERRIDE, number).position
        with tampering() as cursor:
            cursor.execute("DELETE FROM recognition_eventoverride")
        assert broken() == Broken(Fault.CONTENT_GONE, place, "override", number)

    def test_a_row_that_goes_with_its_salt_is_named(self, event: RecognitionEvent) -> None:
        with tampering() as cursor:
            cursor.execute("DELETE FROM recognition_eventcrop")
            cursor.execute("DELETE FROM recognition_sealedcontent WHERE kind = 'crop'")
        place = row_of(SealedKind.CROP, event.pk).position
        assert broken() == Broken(Fault.CONTENT_GONE, place, "crop", event.pk)

    def test_a_row_of_the_chain_that_goes_too_is_named(self, event: RecognitionEvent) -> None:
        place = row_of(SealedKind.CROP, event.pk).position
        with tampering() as cursor:
            cursor.execute("DELETE FROM recognition_eventcrop")
            cursor.execute("DELETE FROM recognition_sealedcontent WHERE kind = 'crop'")
            cursor.execute("DELETE FROM recognition_sealedrow WHERE position = %s", [place])
        assert broken() == Broken(Fault.ROW_MISSING, place)

    def test_a_row_that_was_stored_past_the_triggers_is_named(self, event: RecognitionEvent) -> None:
        with tampering() as cursor:
            cursor.execute(
                "INSERT INTO recognition_auditentry (at, action, subject, details)"
                " VALUES (now(), 'person.erased', 'person:1', '{}') RETURNING id"
            )
            number = cursor.fetchone()[0]
        assert broken() == Broken(Fault.NOT_SEALED, None, "audit", number)

    def test_rows_that_changed_places_are_named(self, event: RecognitionEvent) -> None:
        place = row_of(SealedKind.EVENT, event.pk).position
        with tampering() as cursor:
            for old, new in ((place, -1), (place + 1, place), (-1, place + 1)):
                cursor.execute("UPDATE recognition_sealedrow SET position = %s WHERE position = %s", [new, old])
        assert broken() == Broken(Fault.PREVIOUS_DIFFERS, place, "claim", event.pk)

    def test_an_inserted_row_of_the_chain_is_named(self, event: RecognitionEvent) -> None:
        last = SealedRow.objects.latest("position")
        with tampering() as cursor:
            cursor.execute(
                "INSERT INTO recognition_sealedrow VALUES (%s, 'event', 9999, %s, %s, %s)",
                [last.position + 1, bytes(32), bytes(last.hash), bytes(32)],
            )
        assert broken() == Broken(Fault.HASH_DIFFERS, last.position + 1, "event", 9999)

    @pytest.mark.parametrize("change", ["salt = sha256('x')", "links = '{\"operator\": 1}'"])
    def test_a_changed_salt_or_number_beside_it_is_named(self, change: str, event: RecognitionEvent) -> None:
        with tampering() as cursor:
            cursor.execute(f"UPDATE recognition_sealedcontent SET {change} WHERE kind = 'event'")  # noqa: S608
        found = broken()
        assert found is not None
        assert (found.fault, found.kind) == (Fault.CONTENT_CHANGED, "event")


class TestErasure:
    def test_of_a_person_leaves_the_chain_whole_and_says_so_in_it(self, event: RecognitionEvent) -> None:
        assert event.person is not None
        fakes.erase(event.person)
        entry = AuditEntry.objects.get(action=AuditAction.PERSON_ERASED)
        assert entry.details["removed"] == {"claim": [event.pk], "crop": [event.pk]}
        assert not SealedContent.objects.filter(kind__in=["claim", "crop"]).exists()
        assert broken() is None

    def test_of_a_person_takes_the_reasons_of_their_holds_along(self, event: RecognitionEvent) -> None:
        assert event.person is not None
        hold = legal.place_hold(person=event.person, reason="Ada against us", actor=None)
        legal.lift_hold(hold=hold, actor=None, now=fakes.NOW)
        settle()
        fakes.erase(event.person)
        entry = AuditEntry.objects.get(action=AuditAction.PERSON_ERASED)
        assert entry.details["removed"]["hold"] == [hold.pk]
        assert broken() is None

    def test_what_was_erased_cannot_come_back_as_something_else(self, event: RecognitionEvent) -> None:
        assert event.person is not None
        fakes.erase(event.person)
        with tampering() as cursor:
            cursor.execute("UPDATE recognition_recognitionevent SET claimed_id = 'bob-1'")
        place = row_of(SealedKind.CLAIM, event.pk).position
        assert broken() == Broken(Fault.SALT_GONE, place, "claim", event.pk)

    def test_an_entry_of_another_kind_vouches_for_nothing(self, event: RecognitionEvent) -> None:
        with tampering() as cursor:
            cursor.execute("DELETE FROM recognition_eventcrop")
            cursor.execute("DELETE FROM recognition_sealedcontent WHERE kind = 'crop'")
        audit.record(
            action=AuditAction.PERSON_CHANGED, actor=None, subject=None, details={"removed": {"crop": [event.pk]}}
        )
        place = row_of(SealedKind.CROP, event.pk).position
        assert broken() == Broken(Fault.CONTENT_GONE, place, "crop", event.pk)

    def test_of_an_account_and_a_sample_leaves_the_chain_whole(self, event: RecognitionEvent) -> None:
        fakes.activated_pack()
        bob, operator = fakes.person("Bob", fakes.probe()), fakes.user()
        sample = bob.samples.get()
        fakes.event(best_person=bob, best_sample=sample, operator=operator)
        settle()
        people.delete_sample(sample=sample, actor=operator)
        operator.delete()
        assert broken() is None


def test_who_vouches_for_what_was_removed_is_looked_up_and_not_searched() -> None:
    """Compared with each other, a thousand entries and a million rows would take hours."""
    for first in range(0, 200, 2):
        removed = {"crop": [first, first + 1]}
        audit.record(action=AuditAction.RETENTION_APPLIED, actor=None, subject=None, details={"removed": removed})
    gone = [ChainRow(position, "crop", position, b"", b"", b"") for position in range(200)]
    settle()
    with CaptureQueriesContext(connection) as said, connection.cursor() as cursor:
        found = read.with_contents(cursor, gone)
        cursor.execute(f"EXPLAIN {said.captured_queries[-1]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert all(content.vouched_at for _, content in found)
    assert "Index Scan on recognition_auditentry_removed" in plan
    assert "Index Scan using what_is_sealed_is_sealed_once" in plan
    assert "(row_id = " in plan


@committing
def test_a_long_chain_is_read_in_pieces(event: RecognitionEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "BATCH_ROWS", 2)
    pieces: list[int] = []
    found = sealed_log.verify(report=pieces.append)
    assert found.first_broken is None
    assert sum(pieces) == found.rows == sealed_log.rows_now()
    assert len(pieces) == (found.rows + 1) // 2


def test_merges_splits_and_their_undoing_leave_it_whole() -> None:
    fakes.activated_pack()
    ada, other = fakes.person("Ada", fakes.probe()), fakes.person("Ada again", fakes.like_probe(0.9), fakes.probe())
    fakes.event(person=ada, best_person=ada, best_sample=ada.samples.get())
    fakes.event(person=other, best_person=other, runner_up=ada)
    settle()
    move = merging.merge(keep=ada, gone=other, actor=None)
    merging.undo(move=move, actor=None, now=fakes.NOW)
    assert broken() is None
    merging.split(person=other, samples=[other.samples.earliest("pk").pk], name="Bea", actor=None)
    assert broken() is None


def test_the_content_of_an_event_is_written_the_same_for_ever(event: RecognitionEvent) -> None:
    """Chains of before are verified with it; a version of PostgreSQL that writes JSON in another way shows here."""
    with connection.cursor() as cursor:
        found = read.contents(cursor, kind="event", numbers=[event.pk])[event.pk]
    ada, policy = event.person_id, event.policy_id
    assert found.document is not None
    assert found.document.decode() == (
        f'{{"id" : {event.pk}, "kind" : "identification", "checkpoint" : null, "transaction" : "{event.transaction}", '
        '"decision" : "accept", "reasons" : [], "similarity" : 0.7312, "margin" : null, '
        '"votes" : [{"counts": true, "decision": "accept", "similarity": 0.7312}], "thresholds" : {"margin": 0.1}, '
        f'"policy" : {policy}, "policy_version" : 1, "pack" : "{fakes.DIGEST}", "quality" : {{}}, "timings" : {{}}, '
        '"started_at" : "2026-03-01T12:00:00", "decided_at" : "2026-03-01T12:00:00", '
        f'"person" : {ada}, "claimed_person" : {ada}, "best_person" : {ada}, "best_sample" : null, '
        '"runner_up" : null, "device" : null, "operator" : null}'
    )


def test_the_measurement_of_long_chains_fills_one() -> None:
    fakes.activated_pack()
    sealed_log_size.fill(3, at_once=2)
    assert kinds().count("event") == 3
    assert broken() is None
