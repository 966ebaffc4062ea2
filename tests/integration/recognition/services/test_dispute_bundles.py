"""Bundles of stored events: proved by heads that were kept, refused of a log that is broken."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recognition.decision.reviews import ReviewVerdict
from recognition.models import AuditAction, AuditEntry, EventCrop, EventOverride, RecognitionEvent, Verdict
from recognition.sealing import bundle
from recognition.sealing.anchors import Anchor
from recognition.services import anchors, dispute_bundles, overrides, reviews
from recognition.services.dispute_bundles import BundleNotMade
from tests import fakes
from tests.integration.recognition.selectors.test_error_rates import draw
from tests.integration.recognition.services.test_sealed_log import settle, tampering

pytestmark = pytest.mark.django_db

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
TRUSTED = (hashlib.sha256(KEY.public_key().public_bytes_raw()).hexdigest(),)


@pytest.fixture
def event() -> RecognitionEvent:
    """Of Ada, who claimed an id, with a picture, an override and a verdict."""
    ada = fakes.person("Ada")
    event = fakes.event(best_person=ada, claimed_id="ada-1", claimed_person=ada, similarity=0.7)
    EventCrop.objects.create(event=event, jpeg=b"a crop")
    overrides.override(
        event=event,
        outcome=EventOverride.Outcome.REFUSED,
        reason="the wrong card",
        actor=fakes.user(),
        opens_door=False,
        now=fakes.NOW,
    )
    Verdict.objects.create(event=event, code="false_match", at=fakes.NOW)
    settle()
    return event


def made(*events: RecognitionEvent, kept: tuple[Anchor, ...] = ()) -> bundle.Verified:
    lines = [(anchor.position, anchor.signed_by(KEY).encode()) for anchor in kept]
    content = dispute_bundles.make(
        events=events, anchors=anchors.KeptAnchors(lines, TRUSTED), key=KEY, actor=None, now=fakes.NOW
    )
    settle()
    return bundle.verify(content, trusted=TRUSTED)


def test_without_an_event_there_is_none() -> None:
    with pytest.raises(BundleNotMade, match="at least one event"):
        made()


def test_it_holds_what_is_stored_and_taking_it_out_is_recorded(event: RecognitionEvent) -> None:
    found = made(event)
    assert sorted(kind for kind, _ in found.contents) == ["audit", "claim", "crop", "event", "override", "verdict"]
    assert found.contents["event", event.pk]["similarity"] == 0.7
    assert found.contents["claim", event.pk]["claimed_id"] == "ada-1"
    entry = AuditEntry.objects.get(action=AuditAction.EVENTS_EXPORTED)
    assert (entry.subject, entry.details) == (f"recognitionevent:{event.pk}", {"form": "bundle"})


def test_heads_that_were_kept_prove_it_and_else_those_of_now(event: RecognitionEvent) -> None:
    then = fakes.NOW.replace(year=2020)
    head = anchors.head(now=then)
    assert head is not None
    assert set(made(event, kept=(head,)).anchored_at) == {then}
    # The taking out before was recorded after that head.
    assert set(made(event, kept=(head,)).anchored_at) == {then, fakes.NOW}
    assert set(made(event).anchored_at) == {fakes.NOW}


def test_a_head_of_another_chain_stops_it(event: RecognitionEvent) -> None:
    head = anchors.head(now=fakes.NOW)
    assert head is not None
    with pytest.raises(BundleNotMade, match="another one than was anchored"):
        made(event, kept=(Anchor(head.position, bytes(32), fakes.NOW),))


def test_of_an_event_whose_person_was_erased_it_says_what_was_removed(event: RecognitionEvent) -> None:
    assert event.best_person is not None
    fakes.erase(event.best_person)
    settle()
    assert set(made(event).removed) == {("claim", event.pk), ("crop", event.pk)}


def test_of_a_broken_log_there_is_none(event: RecognitionEvent) -> None:
    with tampering() as cursor:
        cursor.execute("UPDATE recognition_recognitionevent SET decision = 'reject_no_match'")
    with pytest.raises(BundleNotMade, match="not as it was sealed"):
        made(event)


def test_of_an_event_that_is_not_in_the_log_there_is_none(event: RecognitionEvent) -> None:
    unsealed = fakes.event()
    with pytest.raises(BundleNotMade, match="not in the sealed log"):
        made(unsealed)


def test_none_is_made_for_whom_an_event_waits_and_any_is_on_the_command_line(event: RecognitionEvent) -> None:
    """It would tell a second reviewer what the first one said."""
    item = draw().items.get(event=event)
    second = fakes.user("add_verdict", "view_verdict")

    def by_second() -> bytes:
        settle()
        kept = anchors.KeptAnchors([], TRUSTED)
        return dispute_bundles.make(events=[event], anchors=kept, key=KEY, actor=second, now=fakes.NOW)

    with pytest.raises(BundleNotMade, match=f"Event {event.pk} waits for your verdict in review {item.batch_id}"):
        by_second()
    assert not AuditEntry.objects.filter(action=AuditAction.EVENTS_EXPORTED).exists()
    assert "verdict" in {kind for kind, _ in made(event).contents}
    reviews.give(event=event, code=ReviewVerdict.TRUE_MATCH, note="", actor=second, now=fakes.NOW, item=item)
    assert bundle.verify(by_second(), trusted=TRUSTED).events
