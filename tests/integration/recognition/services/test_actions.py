from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from collections.abc import Callable, Mapping

import pytest
from django.db import connection
from django.utils import timezone

from recognition.decision.verdict import Decision, Vote
from recognition.models import ActionDelivery, Checkpoint, RecognitionEvent
from recognition.selectors import gallery, packs
from recognition.services import actions, events
from recognition.services.actions import BusyDoors
from recognition.services.events import Setting, TransactionRecord
from recognition.services.frames import FrameTimings
from recognition.services.webhooks import CallFailed, Post
from tests import fakes

pytestmark = pytest.mark.django_db

START = timezone.now().replace(microsecond=0)


class Clock:
    """Goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> dt.datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


class FakePost:
    """Answers calls with what it is told to, and remembers them."""

    def __init__(self, *answers: int | str) -> None:
        self.answers = list(answers)
        self.bodies: list[dict[str, object]] = []
        self.timeouts_s: list[float] = []

    def __call__(self, *, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> int:
        self.bodies.append(json.loads(body))
        self.timeouts_s.append(timeout_s)
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, str):
            raise CallFailed(answer)
        return answer


@pytest.fixture(autouse=True)
def pack() -> None:
    fakes.activated_pack()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door() -> Checkpoint:
    return fakes.checkpoint(action_url="http://door.example/open", action_deadline_s=10)


def accepted(door: Checkpoint) -> RecognitionEvent:
    active = packs.active()
    ada = fakes.person("Ada", fakes.probe())
    ada.external_id = f"A-{ada.pk}"
    ada.save()
    found = gallery.compare(fakes.probe(), active, ada.pk)
    vote = Vote(Decision.ACCEPT, found.best, None, None)
    record = TransactionRecord(
        Decision.ACCEPT, vote, (), (), active, None, b"", duration_s=1, timings=FrameTimings(), runtime=""
    )
    return events.write(record=record, reasons=(), setting=Setting(checkpoint_id=door.pk), now=START)


def queued(door: Checkpoint) -> ActionDelivery:
    delivery = actions.queue(event=accepted(door), checkpoint=door, now=START)
    assert delivery is not None
    return delivery


def deliver(clock: Callable[[], dt.datetime], post: Post) -> dt.datetime | None:
    """As a process does that has just begun."""
    return actions.deliver_due(clock=clock, post=post, busy=BusyDoors())


def stored(delivery: ActionDelivery) -> ActionDelivery:
    return ActionDelivery.objects.get(pk=delivery.pk)


def test_nothing_is_due_where_nothing_was_queued(clock: Clock) -> None:
    post = FakePost()
    assert deliver(clock, post) is None
    assert post.bodies == []


def test_a_call_says_what_was_decided_of_whom(door: Checkpoint, clock: Clock) -> None:
    delivery = queued(door)
    post = FakePost(204)
    assert deliver(clock, post) is None
    event = delivery.event
    assert event.person is not None
    assert post.bodies == [
        {
            "delivery": str(delivery.pk),
            "event": event.pk,
            "checkpoint": "door",
            "decision": "accept",
            "override": None,
            "person": event.person.external_id,
            "time": START.isoformat(),
        }
    ]
    row = stored(delivery)
    assert (row.state, row.next_attempt_at) == ("delivered", None)
    (attempt,) = row.attempts
    assert (attempt["status"], attempt["error"], attempt["at"]) == (204, "", START.isoformat())


def test_a_call_that_failed_is_made_again_after_growing_pauses(door: Checkpoint, clock: Clock) -> None:
    delivery, post = queued(door), FakePost(500, "no answer within 3.0 s", 302, 404, 200)
    pauses = []
    while (due := deliver(clock, post)) is not None:
        pauses.append((due - clock.now).total_seconds())
        clock.wait(pauses[-1])
    assert pauses == [0.5, 1.0, 2.0, 4.0]
    row = stored(delivery)
    assert row.state == "delivered"
    assert [attempt["status"] for attempt in row.attempts] == [500, None, 302, 404, 200]
    assert row.attempts[1]["error"] == "no answer within 3.0 s"


def test_a_call_is_not_made_before_its_pause_is_over(door: Checkpoint, clock: Clock) -> None:
    queued(door)
    post = FakePost(500)
    deliver(clock, post)
    clock.wait(0.4)
    deliver(clock, post)
    assert len(post.bodies) == 1


def test_a_call_that_is_never_answered_well_ends_with_its_deadline(
    door: Checkpoint, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    delivery, post = queued(door), FakePost(*[500] * 99)
    with caplog.at_level(logging.ERROR):
        while (due := deliver(clock, post)) is not None:
            clock.now = due
    row = stored(delivery)
    assert (row.state, len(row.attempts)) == ("expired", 5)
    assert clock.now < START + dt.timedelta(seconds=10)
    assert "its door stays closed" in caplog.text


def test_a_call_that_waited_too_long_is_not_made_at_all(door: Checkpoint, clock: Clock) -> None:
    delivery, post = queued(door), FakePost()
    clock.wait(10)
    deliver(clock, post)
    assert (post.bodies, stored(delivery).state) == ([], "expired")


def test_no_try_waits_beyond_the_deadline(door: Checkpoint, clock: Clock) -> None:
    queued(door)
    post = FakePost()
    clock.wait(9)
    deliver(clock, post)
    assert post.timeouts_s == [1.0]


def test_a_try_whose_process_ended_is_made_again_unless_it_is_too_late(door: Checkpoint, clock: Clock) -> None:
    delivery = queued(door)

    def end(**arguments: object) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(clock, end)
    post = FakePost()
    due = deliver(clock, post)
    assert (post.bodies, due) == ([], START + dt.timedelta(seconds=6))  # others still take it for being tried
    clock.wait(6)
    deliver(clock, post)
    assert stored(delivery).state == "delivered"


def test_a_door_gets_one_call_at_a_time_and_others_theirs_meanwhile(door: Checkpoint, clock: Clock) -> None:
    busy, during = BusyDoors(), FakePost()
    first, second = queued(door), queued(door)
    elsewhere = queued(fakes.checkpoint("elsewhere", action_url="http://elsewhere.example/open"))
    seen: list[object] = []

    def slow(*, body: bytes, **arguments: object) -> int:
        if not seen:
            # What another thread does while this door does not answer; nothing is due for it, so it does not spin.
            assert actions.deliver_due(clock=clock, post=during, busy=busy) is None
        seen.append(json.loads(body)["delivery"])
        return 200

    assert actions.deliver_due(clock=clock, post=slow, busy=busy) is None
    assert [body["delivery"] for body in during.bodies] == [str(elsewhere.pk)]
    assert seen == [str(first.pk), str(second.pk)]


def test_a_door_whose_call_broke_off_is_called_again_by_the_same_process(door: Checkpoint, clock: Clock) -> None:
    delivery, busy = queued(door), BusyDoors()

    def broken(**arguments: object) -> int:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        actions.deliver_due(clock=clock, post=broken, busy=busy)
    clock.wait(6)
    actions.deliver_due(clock=clock, post=FakePost(), busy=busy)
    assert stored(delivery).state == "delivered"


def test_nothing_is_queued_without_a_webhook() -> None:
    door = fakes.checkpoint()
    assert actions.queue(event=accepted(door), checkpoint=door, now=START) is None


def test_of_somebody_erased_meanwhile_the_call_names_nobody(door: Checkpoint, clock: Clock) -> None:
    delivery, post = queued(door), FakePost()
    assert delivery.event.person is not None
    delivery.event.person.delete()
    deliver(clock, post)
    assert post.bodies[0]["person"] is None


@pytest.mark.django_db(transaction=True)
def test_several_processes_at_once_make_each_call_once() -> None:
    door = fakes.checkpoint(action_url="http://door.example/open")
    numbers = {str(queued(door).pk) for _ in range(8)}
    posts = [FakePost() for _ in range(4)]
    together = threading.Barrier(len(posts))

    def run(post: FakePost) -> None:
        together.wait()
        try:
            deliver(lambda: START, post)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[post]) for post in posts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    called = [body["delivery"] for post in posts for body in post.bodies]
    assert sorted(map(str, called)) == sorted(numbers)
