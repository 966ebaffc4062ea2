from __future__ import annotations

import dataclasses
import json

import pytest
from django.utils import timezone

from recognition.decision import verdict
from recognition.decision.matching import Candidate, CandidateList
from recognition.decision.policy import Policy, QualityFault, SampleReason
from recognition.decision.standing import Bar
from recognition.decision.verdict import Decision
from recognition.decision.voting import VoteRecord
from recognition.models import Alert, EventCrop, FaceSample, Person, RecognitionEvent
from recognition.selectors import packs
from recognition.services import events
from recognition.services.events import NotDecidable, TransactionRecord
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


def test_a_refusal_keeps_the_numbers_behind_it(ada: Person, bob: Person) -> None:
    vote = verdict.judge(CandidateList((Candidate(bob.pk, bob.name, bob.samples.get().pk, 0.3),)), POLICY)
    record = dataclasses.replace(accepted(ada, bob), decision=vote.decision, leading=vote)
    event = events.record(transaction=record, operator=None)
    assert event.reasons == [{"reason": "below_threshold", "measured": 0.3, "required": 0.5}]
