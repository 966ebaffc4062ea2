"""Removes events and pictures that were kept long enough, never what is held, and says in the sealed log what went."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Greatest
from django.utils.translation import gettext

from recognition.models import (
    ActionDelivery,
    AuditAction,
    ErasureRequest,
    EventCrop,
    EventHold,
    EventOverride,
    Person,
    RecognitionEvent,
    RetentionRule,
    SealedKind,
    Verdict,
)
from recognition.selectors import people as people_read
from recognition.selectors import retention as read
from recognition.services import audit, classifiers, erasure, holds, sealed_log

EVENTS_A_STEP = 500
"""Removed in one transaction: the sealed log names each of them in one entry, and the head of it waits for nobody."""

STEPS_A_RUN = 200
"""What is left then goes at the next run, so that a process can stop."""


class RetentionRefused(Exception):
    """Nothing was changed; the text is for the person who wanted it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Removed:
    """What a run removed.

    Args:
        events: how many, with what belongs to them.
        crops: pictures of events that stay.
    """

    events: int
    crops: int


@transaction.atomic
def change_rule(*, rule: RetentionRule, event_days: int | None, crop_days: int | None, actor: User | None) -> None:
    """Says how long events of a class are kept from now on.

    Args:
        rule: of the class.
        event_days: None keeps them.
        crop_days: None keeps pictures as long as their events.
        actor: who did it.

    Raises:
        RetentionRefused: for days that cannot be.
    """
    held = RetentionRule.objects.select_for_update().get(pk=rule.pk)
    before = {"event_days": held.event_days, "crop_days": held.crop_days}
    after = {"event_days": event_days, "crop_days": crop_days}
    if before == after:
        return
    held.event_days, held.crop_days = event_days, crop_days
    try:
        held.full_clean()
    except ValidationError as error:
        raise RetentionRefused(" ".join(error.messages)) from error
    held.save(update_fields=list(after))
    details = {"before": before, "after": after}
    audit.record(action=AuditAction.RETENTION_CHANGED, actor=actor, subject=held, details=details)


def apply(*, now: dt.datetime) -> Removed:
    """Removes what is due, in steps that are stored one by one.

    Args:
        now: with a time zone.
    """
    counts = {"events": 0, "crops": 0}
    left = STEPS_A_RUN
    works: dict[str, Callable[[RetentionRule, dt.datetime], int]] = {"events": _events_step, "crops": _crops_step}
    for rule in RetentionRule.objects.order_by("pk"):
        for name, step in works.items():
            while left and (removed := step(rule, now)):
                counts[name] += removed
                left -= 1
    # Also what a run before could not, because its process died.
    classifiers.remove_what_is_gone(actor=None)
    return Removed(**counts)


@transaction.atomic
def place_hold(*, event: RecognitionEvent, reason: str, actor: User | None) -> EventHold:
    """Keeps an event and all that belongs to it until the hold is lifted.

    Args:
        event: which one.
        reason: why; must not be empty. It is sealed, and stays out of the audit trail.
        actor: who did it.

    Raises:
        RetentionRefused: without a reason, or when the event is gone.
    """
    if not reason.strip():
        raise RetentionRefused(gettext("Give a reason: it is what explains why the event is kept."))
    holds.reserve()
    # An erasure that runs now holds these rows: whoever is second sees what the first one did.
    list(Person.objects.select_for_update().filter(pk__in=_people_of(event)).order_by("pk"))
    if not RecognitionEvent.objects.select_for_update(of=("self",)).filter(pk=event.pk).exists():
        raise RetentionRefused(gettext("This event was removed meanwhile."))
    hold = EventHold.objects.create(event=event, reason=reason.strip(), placed_by=actor)
    audit.record(action=AuditAction.EVENT_HELD, actor=actor, subject=event, details={"hold": hold.pk})
    return hold


@transaction.atomic
def lift_hold(*, hold: EventHold, actor: User | None, now: dt.datetime) -> list[ErasureRequest]:
    """Lifts a hold; erasures that wait for it run at once where no other hold is left.

    Returns:
        Those erasures, done or still waiting.

    Raises:
        RetentionRefused: when it was lifted before.
    """
    holds.reserve()
    if not EventHold.objects.filter(pk=hold.pk, lifted_at=None).update(lifted_at=now, lifted_by=actor):
        raise RetentionRefused(gettext("That hold was lifted already."))
    audit.record(action=AuditAction.EVENT_HOLD_LIFTED, actor=actor, subject=hold.event, details={"hold": hold.pk})
    return erasure.run_all_waiting(now=now)


def _people_of(event: RecognitionEvent) -> list[int]:
    named = {event.person, event.claimed_person, event.best_person, event.runner_up} - {None}
    return sorted({people_read.following_merges(person).pk for person in named if person is not None})


@transaction.atomic
def _events_step(rule: RetentionRule, now: dt.datetime) -> int:
    holds.let_none_come()
    numbers = list(read.due_events(rule, now=now).values_list("pk", flat=True)[:EVENTS_A_STEP])
    if not numbers:
        return 0
    events = RecognitionEvent.objects.filter(pk__in=numbers)
    overrides = EventOverride.objects.filter(event__in=numbers)
    lifted = EventHold.objects.filter(event__in=numbers)  # all of them: a hold that stands keeps its event
    removed = sealed_log.forget(
        contents={
            SealedKind.EVENT: numbers,
            SealedKind.CLAIM: list(events.exclude(claimed_id="").values_list("pk", flat=True)),
            SealedKind.CROP: _crops_of(numbers),
            SealedKind.OVERRIDE: list(overrides.values_list("pk", flat=True)),
            SealedKind.VERDICT: list(Verdict.objects.filter(event__in=numbers).values_list("pk", flat=True)),
            SealedKind.EVENT_HOLD: list(lifted.values_list("pk", flat=True)),
        }
    )
    newest = events.aggregate(newest=Max("decided_at"))["newest"]
    RetentionRule.objects.filter(pk=rule.pk).update(removed_until=Greatest("removed_until", newest))
    ActionDelivery.objects.filter(event__in=numbers).delete()
    overrides.delete()
    lifted.delete()
    events.delete()
    _record(rule, {"events": len(numbers), "removed": removed})
    return len(numbers)


@transaction.atomic
def _crops_step(rule: RetentionRule, now: dt.datetime) -> int:
    holds.let_none_come()
    numbers = list(read.due_crops(rule, now=now).values_list("pk", flat=True)[:EVENTS_A_STEP])
    if not numbers:
        return 0
    removed = sealed_log.forget(contents={SealedKind.CROP: numbers})
    EventCrop.objects.filter(event__in=numbers).delete()
    _record(rule, {"crops": len(numbers), "removed": removed})
    return len(numbers)


def _crops_of(numbers: Sequence[int]) -> list[int]:
    return list(EventCrop.objects.filter(event__in=numbers).values_list("pk", flat=True))


def _record(rule: RetentionRule, details: dict[str, object]) -> None:
    audit.record(action=AuditAction.RETENTION_APPLIED, actor=None, subject=rule, details=details)
