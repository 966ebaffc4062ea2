"""Calls what opens the door: queued with the decision, delivered by another thread until it is too late.

A delivery is made at least once: whoever is called knows by its number whether it was called before.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from recognition.models import ActionDelivery, Checkpoint, EventOverride, RecognitionEvent
from recognition.services import webhooks

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
"""Between the first try and the second; doubles with each further one."""

TRY_TIMEOUT_S = 3.0

_LEASE_S = 2 * TRY_TIMEOUT_S
"""How long a try keeps others away: a process that ends in the middle of one holds up its door no longer."""

_MOST_DOUBLINGS = 10

State = ActionDelivery.State
Clock = Callable[[], dt.datetime]


class BusyDoors:
    """The checkpoints whose doors this process calls now: one call each, so that a slow one keeps one thread."""

    def __init__(self) -> None:
        """Begins with none."""
        self._lock = threading.Lock()
        self._checkpoint_ids: set[int] = set()

    @contextmanager
    def choosing(self) -> Iterator[set[int]]:
        """Their numbers, to which the next one may be added; nobody else chooses meanwhile."""
        with self._lock:
            yield self._checkpoint_ids

    def now(self) -> frozenset[int]:
        """Their numbers as they are now."""
        with self._lock:
            return frozenset(self._checkpoint_ids)

    def free(self, checkpoint_id: int) -> None:
        """Lets the door be called again."""
        with self._lock:
            self._checkpoint_ids.discard(checkpoint_id)


_runners: list[Callable[[], None]] = []


def connect(*wake: Callable[[], None]) -> None:
    """Says who is woken when a delivery was queued; without anybody it waits until somebody looks."""
    _runners[:] = wake


def _wake_runners() -> None:
    for wake in _runners:
        wake()


def queue(
    *, event: RecognitionEvent, checkpoint: Checkpoint, now: dt.datetime, override: EventOverride | None = None
) -> ActionDelivery | None:
    """Queues the call of a checkpoint's webhook; part of the transaction that decides.

    Args:
        event: the decision that opens the door.
        checkpoint: whose door it is.
        now: with a time zone.
        override: what opens the door instead of the decision.

    Returns:
        None where the checkpoint has no webhook.
    """
    if not checkpoint.action_url:
        return None
    delivery = ActionDelivery.objects.create(
        checkpoint=checkpoint,
        event=event,
        override=override,
        next_attempt_at=now,
        expires_at=now + dt.timedelta(seconds=checkpoint.action_deadline_s),
    )
    # Robust: the decision is stored by then, and a runner that cannot be woken looks by itself.
    transaction.on_commit(_wake_runners, robust=True)
    return delivery


def deliver_due(*, clock: Clock, post: webhooks.Post, busy: BusyDoors) -> dt.datetime | None:
    """Delivers everything that is due; several threads and processes may do so at once.

    Args:
        clock: the time now, with a time zone.
        post: makes the call.
        busy: what the threads of this process call.

    Returns:
        When the next try is due, but for doors that are called now: whoever calls one looks for its next
        delivery afterwards. None when nothing else waits.
    """
    while (delivery := _taken(clock(), busy)) is not None:
        try:
            _try(delivery, clock, post)
        finally:
            busy.free(delivery.checkpoint_id)
    waiting = ActionDelivery.objects.filter(state=State.PENDING).exclude(checkpoint_id__in=busy.now())
    return waiting.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()


def _taken(now: dt.datetime, busy: BusyDoors) -> ActionDelivery | None:
    """A delivery that is due at a door that is not called now; from here on it is."""
    with busy.choosing() as checkpoint_ids:
        delivery = _leased(now, checkpoint_ids)
        if delivery is not None:
            checkpoint_ids.add(delivery.checkpoint_id)
    return delivery


@transaction.atomic
def _leased(now: dt.datetime, busy: set[int]) -> ActionDelivery | None:
    """A delivery that is due, kept from other processes while it is tried."""
    due = ActionDelivery.objects.filter(state=State.PENDING, next_attempt_at__lte=now).exclude(checkpoint_id__in=busy)
    due = due.order_by("next_attempt_at")
    for delivery in due.select_for_update(skip_locked=True):
        if delivery.expires_at <= now:
            _end(delivery, State.EXPIRED)
            delivery.save()
            continue
        delivery.next_attempt_at = now + dt.timedelta(seconds=_LEASE_S)
        delivery.save()
        return delivery
    return None


def _try(delivery: ActionDelivery, clock: Clock, post: webhooks.Post) -> None:
    now, checkpoint = clock(), delivery.checkpoint
    body = json.dumps(_body(delivery), ensure_ascii=False).encode()
    left_s = (delivery.expires_at - now).total_seconds()
    attempt: dict[str, Any] = {"at": now.isoformat(), "status": None, "error": ""}
    begin = time.monotonic()
    try:
        attempt["status"] = post(
            url=checkpoint.action_url,
            body=body,
            headers=webhooks.headers(body=body, secret=checkpoint.action_secret, now=now),
            timeout_s=min(TRY_TIMEOUT_S, max(left_s, 0.1)),
        )
    except webhooks.CallFailed as error:
        attempt["error"] = str(error)
    attempt["ms"] = round((time.monotonic() - begin) * 1e3, 1)
    _record(delivery, attempt, clock())


@transaction.atomic
def _record(delivery: ActionDelivery, attempt: dict[str, Any], now: dt.datetime) -> None:
    # Read anew: a try that outlasted its lease was joined by another's.
    row = ActionDelivery.objects.select_for_update().get(pk=delivery.pk)
    row.attempts = [*row.attempts, attempt]
    if row.state == State.PENDING:
        doublings = min(len(row.attempts) - 1, _MOST_DOUBLINGS)
        following = now + dt.timedelta(seconds=FIRST_PAUSE_S * 2**doublings)
        if attempt["status"] is not None and 200 <= attempt["status"] < 300:
            _end(row, State.DELIVERED)
        elif following >= row.expires_at:
            _end(row, State.EXPIRED)
        else:
            row.next_attempt_at = following
    row.save()


def _end(delivery: ActionDelivery, state: ActionDelivery.State) -> None:
    delivery.state, delivery.next_attempt_at = state, None
    if state is State.EXPIRED:
        logger.error(
            "the webhook of checkpoint %s was not delivered in time (delivery %s, %d tries): its door stays closed",
            delivery.checkpoint_id,
            delivery.pk,
            len(delivery.attempts),
        )


def _body(delivery: ActionDelivery) -> dict[str, object]:
    event = delivery.event
    return {
        "delivery": str(delivery.pk),
        "event": event.pk,
        "checkpoint": delivery.checkpoint.slug,
        "decision": event.decision,
        "override": delivery.override_id,
        "person": event.person.external_id if event.person else None,
        "time": event.decided_at.isoformat(),
    }
