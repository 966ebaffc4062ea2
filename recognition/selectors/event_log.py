"""The log of events as it is searched: newest first, page by page without counting, whatever it is filtered by.

A page is asked for by where it begins, a moment and a number, never by how many rows lie before it: the ten thousandth
page costs what the first one does. What can be in one of several columns is asked for in one query each, every one of
them with an index of its own and no longer than a page, which are then put together.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan

from recognition.models import EventCrop, EventOverride, RecognitionEvent
from recognition.selectors import event_filters
from recognition.selectors.event_filters import EventFilter
from recognition.selectors.reviews import visible_verdicts

PAGE_SIZE = 50

_SHOWN = (
    "decision",
    "decided_at",
    "reasons",
    "claimed_id",
    "similarity",
    "margin",
    "person__name",
    "best_person__name",
    "claimed_person__name",
    "checkpoint__name",
)
"""What the list shows: of an event its votes are the most, and they stay where they are."""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins.

    Args:
        at: moment of an event, with a time zone.
        event_id: its primary key.
        goes_back: whether the page is of the events before it; else of those after it.

    Raises:
        ValueError: for a moment without a time zone, or a number that no event can have.
    """

    at: dt.datetime
    event_id: int
    goes_back: bool = True

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"at: expected a moment with a time zone, got {self.at}")
        if not 0 <= self.event_id < 2**63:
            raise ValueError(f"event_id: expected a number of the database, got {self.event_id}")


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """Some events, newest first.

    Args:
        events: each with `has_crop`, `standing` (verdicts that may be seen) and `was_overridden`.
        has_newer: whether there are newer ones.
        has_older: whether there are older ones.
    """

    events: tuple[RecognitionEvent, ...]
    has_newer: bool
    has_older: bool


NOTHING = Page((), has_newer=False, has_older=False)
"""What a filter shows that makes no sense."""


def page(wanted: EventFilter, *, user: User, place: Place | None = None, size: int = PAGE_SIZE) -> Page:
    """One page of the log.

    Args:
        wanted: the filter.
        user: who asks; of verdicts they see what `visible_verdicts` says.
        place: where it begins; None for the newest.
        size: events on it.
    """
    found = numbers(wanted, user=user, place=place, most=size + 1)
    goes_back = place is None or place.goes_back
    if not goes_back and len(found) <= size:
        # Fewer than a page are newer, so this is the first page.
        return page(wanted, user=user, size=size)
    has_more, shown = len(found) > size, found[:size]
    events = _events(shown if goes_back else shown[::-1], user)
    return Page(events, has_newer=place is not None if goes_back else has_more, has_older=has_more or not goes_back)


def numbers(wanted: EventFilter, *, user: User, place: Place | None, most: int) -> list[int]:
    """Primary keys of the events of a page, beginning at its place."""
    return [number for _, number in page_query(wanted, user=user, place=place, most=most)]


def page_query(
    wanted: EventFilter, *, user: User, place: Place | None, most: int
) -> QuerySet[RecognitionEvent, tuple[dt.datetime, int]]:
    """Moments and primary keys of the events of a page, beginning at its place."""
    goes_back = place is None or place.goes_back
    order = ("-decided_at", "-pk") if goes_back else ("decided_at", "pk")
    filtered = event_filters.filtered(wanted, user)
    if place is not None:
        row, edge = _row(F("decided_at"), F("pk")), _row(Value(place.at), Value(place.event_id))
        filtered = filtered.filter(LessThan(row, edge) if goes_back else GreaterThan(row, edge))
    ways = [
        filtered.filter(way).order_by(*order).values_list("decided_at", "pk")[:most]
        for way in event_filters.ways(wanted, user)
    ]
    if len(ways) == 1:
        return ways[0]
    return ways[0].union(*ways[1:]).order_by(*order)[:most]


def all_of(wanted: EventFilter, *, user: User) -> QuerySet[RecognitionEvent]:
    """Every event that a filter keeps, newest first, for somebody who reads them one by one."""
    found = Q()
    for way in event_filters.ways(wanted, user):
        found |= way
    return event_filters.filtered(wanted, user).filter(found).order_by("-decided_at", "-pk")


def _row(at: F | Value, number: F | Value) -> Func:
    """A moment and a number, to be compared as one."""
    return Func(at, number, function="ROW", output_field=BooleanField())


def _events(wanted: Sequence[int], user: User) -> tuple[RecognitionEvent, ...]:
    """Those events, in their order, with what the list shows of each."""
    shown = RecognitionEvent.objects.select_related("person", "best_person", "claimed_person", "checkpoint")
    shown = shown.only(*_SHOWN).annotate(
        has_crop=Exists(EventCrop.objects.filter(event=OuterRef("pk"))),
        was_overridden=Exists(EventOverride.objects.filter(event=OuterRef("pk"))),
    )
    standing = visible_verdicts(user).filter(superseded_by=None)
    shown = shown.prefetch_related(Prefetch("verdicts", standing, to_attr="standing"))
    rows = shown.in_bulk(wanted)
    return tuple(rows[number] for number in wanted if number in rows)
