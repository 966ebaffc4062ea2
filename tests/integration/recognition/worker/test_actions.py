"""The threads that call webhooks, against a real HTTP server."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.utils import timezone

from recognition.decision.conclusion import Conclusion
from recognition.decision.verdict import Decision, judge
from recognition.models import ActionDelivery, Checkpoint
from recognition.selectors import gallery, packs
from recognition.services import actions, events, transactions
from recognition.services.events import Setting, TransactionRecord
from recognition.services.frames import FrameTimings
from recognition.services.transactions import Concluded, Origin
from recognition.worker.actions import THREADS, ActionRunner
from tests import fakes, webhook_receiver
from tests.webhook_receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 15.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with webhook_receiver.receiver() as running:
        yield running


@pytest.fixture
def door(receiver: Receiver) -> Checkpoint:
    fakes.activated_pack()
    fakes.person("Ada", fakes.probe())
    return fakes.checkpoint(action_url=f"{receiver.url}/open?door=1", action_deadline_s=10)


@pytest.fixture
def runner(door: Checkpoint) -> Iterator[ActionRunner]:
    running = ActionRunner()
    yield running
    running.stop()


def accept(door: Checkpoint) -> Concluded:
    active = packs.active()
    assert active.policy is not None
    vote = judge(gallery.search(fakes.probe(), active), active.policy)
    result = transactions.conclude(
        checkpoint_id=door.pk,
        claim=None,
        conclusion=Conclusion(vote.decision, vote, (), (), is_claim=False),
        active=active,
        crop_jpeg=b"",
        timings=FrameTimings(),
        runtime="",
        duration_s=0,
        origin=Origin(None, None),
    )
    assert result.decision is Decision.ACCEPT
    return result


def called(receiver: Receiver) -> None:
    assert receiver.called.acquire(timeout=PATIENCE_S), "the door was not called"


def ended() -> ActionDelivery:
    """The only delivery, once nobody works on it any more."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        row = ActionDelivery.objects.get()
        if row.state != "pending":
            return row
        threading.Event().wait(0.02)
    raise AssertionError("the delivery did not end")


def test_an_accept_calls_the_door_with_a_signature_that_only_the_key_makes(
    door: Checkpoint, runner: ActionRunner, receiver: Receiver
) -> None:
    accept(door)
    called(receiver)
    (call,) = receiver.calls
    # As docs/howto/checkpoints.md tells receivers to do it.
    parts = dict(part.split("=", 1) for part in call.headers["Faceweb-Signature"].split(","))
    signed = parts["t"].encode() + b"." + call.body
    expected = hmac.new(door.action_secret.encode(), signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(expected, parts["v1"])
    assert abs(time.time() - int(parts["t"])) < 60
    assert call.path == "/open?door=1"
    assert json.loads(call.body)["decision"] == "accept"
    assert ended().state == "delivered"


def test_a_decision_does_not_wait_for_a_slow_door(door: Checkpoint, runner: ActionRunner, receiver: Receiver) -> None:
    receiver.held = threading.Event()
    begin = time.monotonic()
    accept(door)
    took_s = time.monotonic() - begin
    called(receiver)
    assert took_s < 1
    assert ActionDelivery.objects.get().state == "pending"
    called(receiver)  # the first try timed out after three seconds
    receiver.held.set()
    row = ended()
    assert (row.state, row.attempts[0]["error"]) == ("delivered", "no answer within 3.0 s")


def test_a_slow_door_does_not_hold_up_another(door: Checkpoint, runner: ActionRunner, receiver: Receiver) -> None:
    receiver.held = threading.Event()
    for _ in range(THREADS):
        accept(door)
    called(receiver)
    with webhook_receiver.receiver() as quick:
        begin = time.monotonic()
        accept(fakes.checkpoint("quick", action_url=quick.url))
        called(quick)
        assert time.monotonic() - begin < 2
        assert len(receiver.calls) == 1
    receiver.held.set()


def test_an_error_is_followed_by_another_try(door: Checkpoint, runner: ActionRunner, receiver: Receiver) -> None:
    receiver.answer = lambda number: 500 if number == 1 else 200
    accept(door)
    row = ended()
    assert (row.state, [attempt["status"] for attempt in row.attempts]) == ("delivered", [500, 200])


def test_a_redirect_is_not_followed(door: Checkpoint, runner: ActionRunner, receiver: Receiver) -> None:
    with webhook_receiver.receiver() as elsewhere:
        receiver.location = elsewhere.url
        receiver.answer = lambda number: 307 if number == 1 else 200
        accept(door)
        assert ended().attempts[0]["status"] == 307
        assert elsewhere.calls == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "https://127.0.0.1:1/", "ftp://127.0.0.1/", "http://[::1", "x"])
def test_a_door_that_cannot_be_reached_is_given_up_with_the_deadline(door: Checkpoint, url: str) -> None:
    Checkpoint.objects.update(action_url=url, action_deadline_s=1)
    runner = ActionRunner()
    accept(door)
    row = ended()
    runner.stop()
    assert row.state == "expired"
    assert all(attempt["error"] for attempt in row.attempts)


def test_what_was_queued_before_a_start_is_delivered_after_it(door: Checkpoint, receiver: Receiver) -> None:
    accept(door)
    assert receiver.calls == []
    runner = ActionRunner()
    assert ended().state == "delivered"
    runner.stop()


def test_a_transaction_that_is_rolled_back_calls_nothing(
    door: Checkpoint, runner: ActionRunner, receiver: Receiver
) -> None:
    record = TransactionRecord(
        Decision.ACCEPT, None, (), (), packs.active(), None, b"", duration_s=0, timings=FrameTimings(), runtime=""
    )
    now = timezone.now()
    with transaction.atomic():
        event = events.write(record=record, reasons=(), setting=Setting(checkpoint_id=door.pk), now=now)
        actions.queue(event=event, checkpoint=door, now=now)
        transaction.set_rollback(True)
    accept(door)
    called(receiver)
    ended()
    assert len(receiver.calls) == 1
