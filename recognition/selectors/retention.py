"""What is older than it may be kept, and what is kept all the same."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from recognition.decision import retention
from recognition.decision.retention import RetentionClass
from recognition.models import EventCrop, EventHold, RecognitionEvent, RetentionRule
from recognition.selectors import legal


@dataclasses.dataclass(frozen=True, slots=True)
class Due:
    """What would be removed now by one rule.

    Args:
        rule: which one.
        events: how many would go.
        held_events: how many are as old and kept by a hold.
        crops: pictures that would go while their events stay.
        held_crops: like `held_events`.
    """

    rule: RetentionRule
    events: int
    held_events: int
    crops: int
    held_crops: int


def report(*, now: dt.datetime) -> list[Due]:
    """What would be removed now, by each rule; nothing is."""
    held, order = legal.held_events(), list(RetentionClass)
    found = []
    for rule in sorted(RetentionRule.objects.all(), key=lambda rule: order.index(RetentionClass(rule.code))):
        events, crops = _old_events(rule, now), _old_crops(rule, now)
        due = events.exclude(held).count()
        due_crops = crops.exclude(held).count()
        found.append(Due(rule, due, events.count() - due, due_crops, crops.count() - due_crops))
    return found


def due_events(rule: RetentionRule, *, now: dt.datetime) -> QuerySet[RecognitionEvent]:
    """The events that a rule removes now, the oldest first."""
    return _old_events(rule, now).exclude(legal.held_events()).order_by("decided_at", "pk")


def due_crops(rule: RetentionRule, *, now: dt.datetime) -> QuerySet[RecognitionEvent]:
    """The events whose picture a rule removes now, the oldest first."""
    return _old_crops(rule, now).exclude(legal.held_events()).order_by("decided_at", "pk")


def is_whole(since: dt.datetime, *, classes: Collection[RetentionClass] = tuple(RetentionClass)) -> bool:
    """Whether no event of those classes that was decided since then was ever removed.

    Args:
        since: with a time zone.
        classes: every one, unless given.
    """
    return not RetentionRule.objects.filter(code__in=classes, removed_until__gte=since).exists()


def removed_until(classes: Collection[RetentionClass]) -> dt.datetime | None:
    """When the newest event of those classes that was removed had been decided; None where none was."""
    rules = RetentionRule.objects.filter(code__in=classes)
    newest: dt.datetime | None = rules.aggregate(newest=Max("removed_until"))["newest"]
    return newest


def standing_holds(event: RecognitionEvent) -> QuerySet[EventHold]:
    """The holds on that event that were not lifted."""
    return EventHold.objects.filter(event=event, lifted_at=None)


def _old_events(rule: RetentionRule, now: dt.datetime) -> QuerySet[RecognitionEvent]:
    return _older(rule, rule.event_days, now)


def _old_crops(rule: RetentionRule, now: dt.datetime) -> QuerySet[RecognitionEvent]:
    old = _older(rule, rule.crop_days, now).filter(Exists(EventCrop.objects.filter(event=OuterRef("pk"))))
    # Those of events that go anyway go with them.
    return old.exclude(pk__in=_old_events(rule, now).values("pk")) if rule.event_days is not None else old


def _older(rule: RetentionRule, days: int | None, now: dt.datetime) -> QuerySet[RecognitionEvent]:
    if days is None:
        return RecognitionEvent.objects.none()
    by_kind: dict[bool, list[str]] = {False: [], True: []}
    for decision, is_claim in retention.members(RetentionClass(rule.code)):
        by_kind[is_claim].append(decision.value)
    identification, verification = RecognitionEvent.Kind.IDENTIFICATION, RecognitionEvent.Kind.VERIFICATION
    of_class = Q(kind=identification, decision__in=by_kind[False]) | Q(kind=verification, decision__in=by_kind[True])
    return RecognitionEvent.objects.filter(of_class, decided_at__lt=now - dt.timedelta(days=days))
