"""The log decided anew: stored by the real services, replayed under other thresholds, erased people and other packs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from recognition.decision import verdict
from recognition.decision.conclusion import Conclusion
from recognition.decision.replay import UNDETERMINED, Change, Outcome
from recognition.decision.verdict import Decision, Vote
from recognition.decision.voting import VoteRecord
from recognition.models import Checkpoint, DenyListEntry, EventPlace, ModelPack, Person, RecognitionEvent
from recognition.selectors import gallery, packs, what_if
from recognition.selectors.what_if import Wanted, WhatIf
from recognition.services import events, policies, transactions
from recognition.services.events import TransactionRecord
from recognition.services.frames import FrameTimings
from recognition.services.transactions import ClaimInProgress, Origin
from recognition.vision.types import Embedding
from tests import fakes

pytestmark = pytest.mark.django_db

IN_FORCE = Wanted(0.5, 0.4, 0.05)
NOBODY = Origin(user=None, device_id=None)


@pytest.fixture(autouse=True)
def pack() -> ModelPack:
    return fakes.activated_pack()


@pytest.fixture
def door() -> Checkpoint:
    return fakes.checkpoint()


@pytest.fixture
def ada() -> Person:
    return fakes.person("Ada", fakes.probe())


def at_door(door: Checkpoint, probe: Embedding, claim: ClaimInProgress | None = None, *, looks: int = 3) -> int:
    """Three looks at a face, through the real gallery, to the stored event; two are left without a decision."""
    active = packs.active(door.pk)
    assert active.policy is not None
    vote = verdict.judge(gallery.search(probe, active), active.policy)
    if claim is not None and claim.person_id is not None:
        compared = gallery.compare(probe, active, claim.person_id)
        vote = verdict.judge_claim(compared, gallery.search_denied(probe, active), active.policy)
    votes = _cast(vote, looks)
    conclusion = Conclusion(vote.decision, vote, votes, (), is_claim=claim is not None)
    if looks < active.policy.votes_needed:
        conclusion = Conclusion(Decision.NO_DECISION_TIMEOUT, vote, votes, (), is_claim=claim is not None)
    return transactions.conclude(
        checkpoint_id=door.pk,
        claim=claim,
        conclusion=conclusion,
        active=active,
        crop_jpeg=b"a crop",
        timings=FrameTimings(),
        runtime="fake",
        duration_s=1.0,
        origin=NOBODY,
    ).event_id


def live(probe: Embedding) -> int:
    """The same on the live page."""
    active = packs.active()
    assert active.policy is not None
    vote = verdict.judge(gallery.search(probe, active), active.policy)
    record = TransactionRecord(
        decision=vote.decision,
        leading=vote,
        votes=_cast(vote, 3),
        faults=(),
        active=active,
        quality=fakes.quality(),
        crop_jpeg=b"a crop",
        duration_s=1.0,
        timings=FrameTimings(),
        runtime="fake",
    )
    return events.record(transaction=record, operator=None).pk


def _cast(vote: Vote, looks: int) -> tuple[VoteRecord, ...]:
    return tuple(VoteRecord(100.0 * look, vote, fakes.quality()) for look in range(looks))


def found(wanted: Wanted, checkpoint: Checkpoint | None = None, **more: Any) -> WhatIf:
    asked = {"strategy": "nearest", "since": timezone.now() - dt.timedelta(days=1), **more}
    pack = ModelPack.objects.get(is_active=True)
    return what_if.what_if(wanted, pack=pack, checkpoint=checkpoint, **asked)


def changes(result: WhatIf) -> dict[int, Change]:
    return {event.event_id: event.change for event in result.changed}


def test_of_an_empty_log_nothing_changes() -> None:
    result = found(Wanted(0.9, 0.9, 0.5))
    assert (result.changed, result.replayed, result.older) == ((), 0, 0)


def test_at_the_thresholds_in_force_every_event_ends_as_it_was_stored(door: Checkpoint, ada: Person) -> None:
    banned = fakes.person("Eve", fakes.like_probe(0.7, axis=2))
    DenyListEntry.objects.create(person=banned, reason="a test")
    claim = ClaimInProgress(ada.pk, "A-1", pin_ok=None)
    for similarity in (1.0, 0.9, 0.52, 0.49, 0.3):
        at_door(door, fakes.like_probe(similarity, axis=3))
        at_door(door, fakes.like_probe(similarity, axis=2))
        at_door(door, fakes.like_probe(similarity, axis=2), claim)
        at_door(door, fakes.like_probe(similarity, axis=3), claim, looks=2)
        live(fakes.like_probe(similarity, axis=3))
    result = found(IN_FORCE)
    assert result.counts == {Change.NONE: RecognitionEvent.objects.count()}
    assert set(RecognitionEvent.objects.values_list("decision", flat=True)) >= {
        "accept",
        "reject_no_match",
        "reject_not_allowed",
        "no_decision_timeout",
    }


def test_who_was_accepted_would_be_refused_and_the_other_way_round(door: Checkpoint, ada: Person) -> None:
    close, far = at_door(door, fakes.like_probe(0.6, axis=3)), live(fakes.like_probe(0.45, axis=3))
    higher, lower = found(Wanted(0.65, 0.4, 0.05)), found(Wanted(0.44, 0.4, 0.05))
    assert changes(higher) == {close: Change.REFUSED}
    (refused,) = higher.changed
    assert (refused.then, refused.after) == (Outcome(Decision.ACCEPT, ada.pk), Outcome(Decision.REJECT_NO_MATCH))
    assert refused.place == EventPlace("door")
    assert changes(lower) == {far: Change.ACCEPTED}
    assert lower.changed[0].after == Outcome(Decision.ACCEPT, ada.pk)
    assert higher.counts == {Change.REFUSED: 1, Change.NONE: 1}


def test_a_claim_follows_the_threshold_of_claims(door: Checkpoint, ada: Person) -> None:
    claim = ClaimInProgress(ada.pk, "A-1", pin_ok=None)
    event = at_door(door, fakes.like_probe(0.45, axis=3), claim)
    assert changes(found(Wanted(0.9, 0.4, 0.05))) == {}
    assert changes(found(Wanted(0.5, 0.46, 0.05))) == {event: Change.REFUSED}


def test_two_people_who_were_too_close_are_told_apart_by_a_smaller_margin(door: Checkpoint, ada: Person) -> None:
    fakes.person("Bob", fakes.like_probe(0.97, axis=2))
    event = at_door(door, fakes.probe())
    assert RecognitionEvent.objects.get().decision == "reject_ambiguous"
    assert changes(found(Wanted(0.5, 0.4, 0.02))) == {event: Change.ACCEPTED}


def test_where_more_frames_would_have_been_taken_it_is_undetermined(door: Checkpoint, ada: Person) -> None:
    event = RecognitionEvent.objects.get(pk=at_door(door, fakes.like_probe(0.6, axis=3)))
    lower = {**event.votes[0], "similarity": 0.51}
    changed = fakes.event(
        votes=[*event.votes[:2], lower],
        person=ada,
        best_person=ada,
        thresholds=event.thresholds,
        decided_at=timezone.now(),
    )
    result = found(Wanted(0.55, 0.4, 0.05))
    assert changes(result) == {changed.pk: Change.ACCEPT_UNDETERMINED}
    assert result.changed[0].after == UNDETERMINED


def test_somebody_who_was_suspended_since_would_not_have_been_accepted(door: Checkpoint, ada: Person) -> None:
    at_door(door, fakes.like_probe(0.45, axis=3))
    Person.objects.update(is_suspended=True)
    result = found(Wanted(0.44, 0.4, 0.05))
    assert (result.changed, result.counts) == ((), {Change.OTHER_REFUSAL: 1})


def test_an_erased_person_keeps_their_number_and_no_name(door: Checkpoint, ada: Person) -> None:
    at_door(door, fakes.like_probe(0.6, axis=3))
    number = ada.pk
    fakes.erase(ada)
    result = found(Wanted(0.65, 0.4, 0.05))
    assert [(event.change, event.then.person_id) for event in result.changed] == [(Change.REFUSED, number)]


def test_what_says_nothing_is_left_out_and_counted(door: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    other = fakes.registered_pack(name="other", digest="e" * 64)
    fakes.person("Ada", fakes.probe())
    at_door(door, fakes.like_probe(0.6, axis=3))
    event = RecognitionEvent.objects.get()
    fakes.event(pack=other, thresholds=event.thresholds, votes=event.votes, decided_at=timezone.now())
    fakes.event(thresholds={**event.thresholds, "strategy": "centroid"}, votes=event.votes, decided_at=timezone.now())
    fakes.event(thresholds=event.thresholds, votes=[], decided_at=timezone.now())
    at_door(door, fakes.like_probe(0.6, axis=3))
    result = found(IN_FORCE)
    assert (result.other_pack, result.other_strategy, result.not_replayed, result.replayed) == (1, 1, 1, 2)
    monkeypatch.setattr(what_if, "MOST_EVENTS", 1)
    limited = found(IN_FORCE)
    assert (limited.replayed, limited.older) == (1, 2)


def test_a_checkpoint_with_a_policy_of_its_own_is_looked_at_alone(
    door: Checkpoint, ada: Person, pack: ModelPack
) -> None:
    elsewhere = fakes.checkpoint("elsewhere")
    policies.create_version(pack=pack, values={"margin": 0.04}, reason="a test", actor=None, checkpoint=door)
    here, there = at_door(door, fakes.like_probe(0.6, axis=3)), at_door(elsewhere, fakes.like_probe(0.6, axis=3))
    assert changes(found(Wanted(0.65, 0.4, 0.05))) == {there: Change.REFUSED}
    assert changes(found(Wanted(0.65, 0.4, 0.05), door)) == {here: Change.REFUSED}


def test_older_events_than_were_asked_for_are_not_looked_at(door: Checkpoint, ada: Person) -> None:
    at_door(door, fakes.like_probe(0.6, axis=3))
    assert found(IN_FORCE, since=timezone.now()).replayed == 0
