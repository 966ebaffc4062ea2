from __future__ import annotations

import dataclasses
import datetime as dt
import json
import uuid

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from recognition.decision import verdict
from recognition.decision.matching import Candidate, CandidateList
from recognition.decision.policy import Policy, QualityFault, SampleReason
from recognition.decision.standing import Bar
from recognition.decision.verdict import Decision
from recognition.decision.voting import VoteRecord
from recognition.models import (
    Alert,
    AuditEntry,
    ErasureReason,
    EventCrop,
    EventOverride,
    FaceSample,
    KioskDevice,
    ModelPack,
    Person,
    RecognitionEvent,
)
from recognition.selectors import packs
from recognition.services import erasure, events, people, policies
from recognition.services.events import NotDecidable, Setting, TransactionRecord
from recognition.services.frames import FrameTimings
from tests import fakes

pytestmark = pytest.mark.django_db

POLICY = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4)


@pytest.fixture(autouse=True)
def pack() -> None:
    fakes.activated_pack()


@pytest.fixture
def ada() -> Person:
    return fakes.person("Ada Lovelace", fakes.probe())


@pytest.fixture
def bob() -> Person:
    return fakes.person("Bob", fakes.like_probe(0.3))


def accepted(ada: Person, bob: Person) -> TransactionRecord:
    people = tuple(
        Candidate(person.pk, person.name, person.samples.get().pk, similarity)
        for person, similarity in ((ada, 0.87654321), (bob, 0.3))
    )
    vote = verdict.judge(CandidateList(people), POLICY)
    return TransactionRecord(
        decision=Decision.ACCEPT,
        leading=vote,
        votes=(VoteRecord(0.0, vote, fakes.quality()), VoteRecord(66.6, vote, fakes.quality())),
        faults=(),
        active=packs.active(),
        quality=fakes.quality(),
        crop_jpeg=b"a crop",
        duration_s=2.5,
        timings=FrameTimings(decode=1.23456),
        runtime="fake runtime",
    )


def test_an_accepted_event_keeps_person_numbers_thresholds_and_crop(ada: Person, bob: Person) -> None:
    operator = fakes.user()
    event = events.record(transaction=accepted(ada, bob), operator=operator)
    event.refresh_from_db()
    assert (event.decision, event.person, event.best_person, event.runner_up) == ("accept", ada, ada, bob)
    assert (event.best_sample, event.operator) == (ada.samples.get(), operator)
    assert (event.similarity, event.margin) == (0.8765, 0.5765)
    assert [vote["at_ms"] for vote in event.votes] == [0, 67]
    assert event.thresholds["identification_threshold"] == 0.5
    assert (event.policy.version, event.pack.digest) == (1, fakes.DIGEST)
    assert event.timings["decode"] == 1.23
    assert event.timings["runtime"] == "fake runtime"
    assert (event.decided_at - event.started_at).total_seconds() == pytest.approx(2.5)
    assert event.decided_at <= timezone.now()
    assert bytes(EventCrop.objects.get(event=event).jpeg) == b"a crop"


def test_no_event_keeps_a_name(ada: Person, bob: Person) -> None:
    event = events.record(transaction=accepted(ada, bob), operator=None)
    row = RecognitionEvent.objects.filter(pk=event.pk).values().get()
    assert "Ada" not in json.dumps(row, default=str)


def test_a_rejected_event_names_nobody_but_keeps_who_was_nearest(ada: Person, bob: Person) -> None:
    record = dataclasses.replace(accepted(ada, bob), decision=Decision.REJECT_NO_MATCH)
    event = events.record(transaction=record, operator=None)
    assert (event.person_id, event.best_person_id) == (None, ada.pk)


def test_an_event_without_votes_keeps_why(ada: Person, bob: Person) -> None:
    record = dataclasses.replace(
        accepted(ada, bob),
        decision=Decision.NO_DECISION_QUALITY,
        leading=None,
        votes=(),
        quality=None,
        crop_jpeg=b"",
        faults=(QualityFault(SampleReason.FACE_TOO_SMALL, 20.0, 48.0),),
    )
    event = events.record(transaction=record, operator=None)
    assert event.reasons == [{"reason": "face_too_small", "measured": 20.0, "required": 48.0}]
    assert (event.similarity, event.margin, event.quality, event.votes) == (None, None, {}, [])
    assert not EventCrop.objects.exists()


def test_what_was_erased_between_search_and_decision_is_stored_as_nobody(ada: Person, bob: Person) -> None:
    record = accepted(ada, bob)
    operator = fakes.user()
    number = ada.pk
    Person.objects.all().delete()
    FaceSample.objects.all().delete()
    operator.__class__.objects.filter(pk=operator.pk).delete()
    event = events.record(transaction=record, operator=operator)
    event.refresh_from_db()
    assert (event.decision, event.similarity) == ("accept", 0.8765)
    assert {event.person_id, event.best_person_id, event.best_sample_id, event.runner_up_id, event.operator_id} == {
        None
    }
    assert event.votes[0]["best_person"] == number


def test_of_somebody_erased_meanwhile_neither_picture_nor_claimed_id_is_kept(ada: Person, bob: Person) -> None:
    transaction_record, number = accepted(ada, bob), ada.pk
    erasure.request(person=ada, reason=ErasureReason.REQUESTED, actor=None, now=fakes.NOW)
    setting = Setting(kind=RecognitionEvent.Kind.VERIFICATION, claimed_id="ADA-4711", claimed_person_id=number)
    event = events.write(record=transaction_record, reasons=(), setting=setting, now=fakes.NOW)
    assert event.claimed_id == ""
    assert not EventCrop.objects.exists()


def test_an_event_outlives_its_person_and_operator(ada: Person, bob: Person) -> None:
    operator = fakes.user()
    event = events.record(transaction=accepted(ada, bob), operator=operator)
    Person.objects.all().delete()
    operator.delete()
    event.refresh_from_db()
    assert (event.person_id, event.operator_id, event.similarity) == (None, None, 0.8765)


def test_nothing_is_recorded_of_a_pack_without_policy(ada: Person, bob: Person) -> None:
    record = dataclasses.replace(accepted(ada, bob), active=fakes.active_pack(decides=False))
    with pytest.raises(NotDecidable, match="no measured thresholds"):
        events.record(transaction=record, operator=None)
    assert not RecognitionEvent.objects.exists()


@pytest.mark.parametrize(("barred", "alerts"), [(Bar.DENY_LIST, 1), (Bar.SUSPENDED, 0)])
def test_somebody_who_is_barred_is_refused_on_the_live_page_with_the_reason(
    ada: Person, bob: Person, barred: Bar, alerts: int
) -> None:
    record = accepted(ada, bob)
    assert record.leading is not None
    assert record.leading.best is not None
    people = CandidateList((dataclasses.replace(record.leading.best, barred=barred),))
    vote = verdict.judge(people, POLICY)
    event = events.record(transaction=dataclasses.replace(record, decision=vote.decision, leading=vote), operator=None)
    assert (event.decision, event.person_id, event.best_person_id) == ("reject_not_allowed", None, ada.pk)
    assert event.reasons == [{"reason": barred.value, "measured": None, "required": None}]
    assert Alert.objects.filter(event=event).count() == alerts


@pytest.mark.parametrize(("barred", "alerts"), [(Bar.DENY_LIST, 1), (Bar.SUSPENDED, 0), (None, 0)])
def test_between_two_people_the_live_page_raises_an_alert_where_one_is_on_the_deny_list(
    ada: Person, bob: Person, barred: Bar | None, alerts: int
) -> None:
    people = (
        Candidate(ada.pk, ada.name, ada.samples.get().pk, 0.75),
        Candidate(bob.pk, bob.name, bob.samples.get().pk, 0.74, barred),
    )
    vote = verdict.judge(CandidateList(people), POLICY)
    votes = (VoteRecord(0.0, vote, fakes.quality()),)
    record = dataclasses.replace(accepted(ada, bob), decision=vote.decision, leading=vote, votes=votes)
    event = events.record(transaction=record, operator=None)
    codes = [reason["reason"] for reason in event.reasons]
    assert (event.decision, codes) == ("reject_ambiguous", ["margin_too_small", *["may_be_deny_listed"] * alerts])
    assert Alert.objects.filter(event=event).count() == alerts


def test_a_refusal_keeps_the_numbers_behind_it(ada: Person, bob: Person) -> None:
    vote = verdict.judge(CandidateList((Candidate(bob.pk, bob.name, bob.samples.get().pk, 0.3),)), POLICY)
    record = dataclasses.replace(accepted(ada, bob), decision=vote.decision, leading=vote)
    event = events.record(transaction=record, operator=None)
    assert event.reasons == [{"reason": "below_threshold", "measured": 0.3, "required": 0.5}]


class TestTheDatabase:
    LINKS = ("person", "claimed_person", "best_person", "best_sample", "runner_up", "device", "operator")

    @pytest.fixture
    def event(self, ada: Person, bob: Person) -> RecognitionEvent:
        """With every link that an event may have."""
        door = fakes.checkpoint()
        event = fakes.event(
            kind="verification",
            checkpoint=door,
            device=KioskDevice.objects.create(checkpoint=door, label="tablet", token_hash="h"),
            operator=fakes.user(),
            claimed_id="A-1",
            claimed_person=ada,
            person=ada,
            best_person=ada,
            best_sample=ada.samples.get(),
            runner_up=bob,
            similarity=0.9,
            votes=[{"best_person": ada.pk, "similarity": 0.9}],
        )
        EventCrop.objects.create(event=event, jpeg=b"a crop")
        return event

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("decision", "reject_no_match"),
            ("kind", "identification"),
            ("reasons", [{"reason": "below_threshold", "measured": 0.1, "required": 0.5}]),
            ("votes", []),
            ("similarity", 0.91),
            ("margin", 0.2),
            ("thresholds", {"votes_needed": 1}),
            ("quality", {"sharpness": 1}),
            ("timings", {"runtime": "another"}),
            ("claimed_id", "B-2"),
            ("checkpoint", None),
            ("decided_at", fakes.NOW - dt.timedelta(days=40)),
            ("started_at", fakes.NOW - dt.timedelta(days=40)),
            ("transaction", uuid.uuid4()),
        ],
    )
    def test_refuses_to_change_what_an_event_says(self, event: RecognitionEvent, field: str, value: object) -> None:
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            RecognitionEvent.objects.update(**{field: value})

    def test_refuses_another_policy_or_pack(self, event: RecognitionEvent) -> None:
        other = ModelPack.objects.create(name="other", digest="e" * 64, dimension=fakes.DIMENSION, licence="MIT")
        later = policies.create_version(pack=event.pack, values={}, reason="a test", actor=None)
        for change in ({"pack": other}, {"policy": later}):
            with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
                RecognitionEvent.objects.update(**change)

    @pytest.mark.parametrize("link", LINKS)
    def test_lets_a_link_be_emptied_and_set_to_nothing_else(self, event: RecognitionEvent, link: str) -> None:
        before = getattr(event, f"{link}_id")
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            RecognitionEvent.objects.update(**{f"{link}_id": before + 1_000_000})
        RecognitionEvent.objects.update(**{f"{link}_id": None})
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            RecognitionEvent.objects.update(**{f"{link}_id": before})
        assert getattr(RecognitionEvent.objects.get(), f"{link}_id") is None

    def test_refuses_a_change_beside_a_link_that_is_emptied(self, event: RecognitionEvent) -> None:
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            RecognitionEvent.objects.update(person=None, decision="reject_no_match")

    def test_lets_people_kiosks_and_accounts_be_erased(self, event: RecognitionEvent, ada: Person, bob: Person) -> None:
        kept = RecognitionEvent.objects.values("decision", "votes", "similarity", "policy", "pack").get()
        assert event.operator is not None
        event.operator.delete()
        people.delete_sample(sample=ada.samples.get(), actor=None)
        for person in (ada, bob):
            erasure.request(person=person, reason=ErasureReason.REQUESTED, actor=None, now=fakes.NOW)
        KioskDevice.objects.all().delete()
        stored = RecognitionEvent.objects.get()
        assert [getattr(stored, f"{link}_id") for link in self.LINKS] == [None] * len(self.LINKS)
        assert stored.claimed_id == ""
        assert RecognitionEvent.objects.values(*kept).get() == kept

    def test_lets_a_crop_or_a_whole_event_be_removed(self, event: RecognitionEvent) -> None:
        EventCrop.objects.all().delete()
        override = EventOverride.objects.create(event=event, outcome="admitted", reason="a test", by=fakes.user())
        override.delete()
        Alert.objects.create(event=event)
        event.delete()
        assert not RecognitionEvent.objects.exists()

    def test_refuses_another_crop(self, event: RecognitionEvent) -> None:
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            EventCrop.objects.update(jpeg=b"another")

    @pytest.mark.parametrize("change", [{"outcome": "refused"}, {"reason": "another"}, {"at": fakes.NOW}])
    def test_refuses_to_change_an_override_and_forgets_who_made_it(
        self, event: RecognitionEvent, change: dict[str, object]
    ) -> None:
        colleague = fakes.user()
        EventOverride.objects.create(event=event, outcome="admitted", reason="a test", by=colleague)
        for changed in (change, {"by": fakes.user()}):
            with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
                EventOverride.objects.update(**changed)
        colleague.delete()
        assert EventOverride.objects.get().by is None

    def test_refuses_to_change_or_remove_an_audit_entry_and_forgets_who_it_names(self, ada: Person) -> None:
        colleague = fakes.user()
        people.set_pin(person=ada, pin="1234", actor=colleague)
        changes: list[dict[str, object]] = [
            {"action": "person.deleted"},
            {"subject": "person:0"},
            {"details": {}},
            {"actor": fakes.user()},
        ]
        for change in changes:
            with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
                AuditEntry.objects.filter(action="person.pin_set").update(**change)
        with pytest.raises(IntegrityError, match="never removed"), transaction.atomic():
            AuditEntry.objects.all().delete()
        colleague.delete()
        assert AuditEntry.objects.get(action="person.pin_set").actor is None

    @pytest.mark.parametrize(
        ("change", "constraint"),
        [
            ({"decision": "nonsense"}, "an_event_has_a_known_decision"),
            ({"decision": ""}, "an_event_has_a_known_decision"),
            ({"kind": "nonsense"}, "an_event_has_a_known_kind"),
        ],
    )
    def test_refuses_what_is_in_no_list(self, change: dict[str, str], constraint: str) -> None:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            fakes.event(**change)

    @pytest.mark.parametrize("decision", list(Decision))
    def test_takes_every_decision(self, decision: Decision) -> None:
        assert fakes.event(decision=decision.value).decision == decision
