"""The log of events as it is searched: newest first, page by page without counting, whatever it is filtered by.

A page is asked for by where it begins, a moment and a number, never by how many rows lie before it: the ten thousandth
page costs what the first one does. What can be in one of several columns (a person who was accepted, closest or
claimed; a word in a name, a note or an id) is asked for in one query each, every one of them with an index of its own
and no longer than a page, which are then put together.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import operator
import re
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.contrib.postgres.search import SearchQuery, SearchVectorExact
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan

from recognition.decision.reviews import ReviewVerdict
from recognition.models import EventCrop, EventOverride, Person, RecognitionEvent, ThresholdPolicy, Verdict
from recognition.models.searching import WORD_BREAKS, reason_codes, words
from recognition.selectors import legal
from recognition.selectors.reviews import queue, visible_verdicts

PAGE_SIZE = 50

MOST_PEOPLE = 100
"""People whose names may fit a text: of more, their events are not looked for by name."""

LIVE_PAGE = 0
"""Stands for the live page where a checkpoint is asked for; no checkpoint has that number."""

REVIEW_STATES = ("unreviewed", "reviewed", "disputed", "waiting", "overridden", *(code.value for code in ReviewVerdict))
"""By what was said of an event afterwards. "waiting" is what waits for whoever asks; a verdict is one that stands."""

_SHOWN = (
    "decision",
    "decided_at",
    "claimed_id",
    "similarity",
    "margin",
    "person__name",
    "best_person__name",
    "claimed_person__name",
    "checkpoint__name",
)
"""What the list shows: of an event its votes are the most, and they stay where they are."""

_BREAKS = re.compile(f"[\\s{re.escape(WORD_BREAKS)}]+")


@dataclasses.dataclass(frozen=True, slots=True)
class EventFilter:
    """What is looked for; whatever is left out keeps every event.

    Args:
        since: first moment.
        until: first moment after.
        checkpoint: primary key, or `LIVE_PAGE`.
        person: who was accepted, claimed or closest; whoever was merged into them too.
        decisions: codes, of which one is enough.
        reason: a code.
        similarity_from: least similarity.
        similarity_to: largest similarity.
        review: of `REVIEW_STATES`.
        policy: a version.
        kind: identification or verification.
        text: words or beginnings of words, all of which are in the name or the id of somebody concerned, in a note,
            or in the reason of an override; or the beginning of the id that was claimed.

    Raises:
        ValueError: for a review state that is none.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    checkpoint: int | None = None
    person: Person | None = None
    decisions: tuple[str, ...] = ()
    reason: str = ""
    similarity_from: float | None = None
    similarity_to: float | None = None
    review: str = ""
    policy: int | None = None
    kind: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        if self.review and self.review not in REVIEW_STATES:
            raise ValueError(f"review: expected one of {REVIEW_STATES}, got {self.review!r}")

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the text, in lower case."""
        return tuple(word for word in _BREAKS.split(self.text.lower()) if word)


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
    filtered = _filtered(wanted, user)
    if place is not None:
        row, edge = _row(F("decided_at"), F("pk")), _row(Value(place.at), Value(place.event_id))
        filtered = filtered.filter(LessThan(row, edge) if goes_back else GreaterThan(row, edge))
    ways = [filtered.filter(way).order_by(*order).values_list("decided_at", "pk")[:most] for way in _ways(wanted, user)]
    if len(ways) == 1:
        return ways[0]
    return ways[0].union(*ways[1:]).order_by(*order)[:most]


def all_of(wanted: EventFilter, *, user: User) -> QuerySet[RecognitionEvent]:
    """Every event that a filter keeps, newest first, for somebody who reads them one by one."""
    found = Q()
    for way in _ways(wanted, user):
        found |= way
    return _filtered(wanted, user).filter(found).order_by("-decided_at", "-pk")


def people_called(text: str) -> list[int]:
    """Primary keys of the people whose name or id has words that begin like those of a text, at most `MOST_PEOPLE`."""
    query = _ts_query(EventFilter(text=text).words)
    if query is None:
        return []
    name, external_id = SearchVectorExact(words("name"), query), SearchVectorExact(words("external_id"), query)
    found = Person.objects.filter(Q(name) | Q(external_id)).order_by("pk")
    return list(found.values_list("pk", flat=True)[:MOST_PEOPLE])


def _filtered(wanted: EventFilter, user: User) -> QuerySet[RecognitionEvent]:
    """The events that fit everything that is asked of one column."""
    found = RecognitionEvent.objects.all()
    exact: dict[str, Any] = {
        "decided_at__gte": wanted.since,
        "decided_at__lt": wanted.until,
        "similarity__gte": wanted.similarity_from,
        "similarity__lte": wanted.similarity_to,
        "kind": wanted.kind or None,
    }
    found = found.filter(**{name: value for name, value in exact.items() if value is not None})
    if wanted.checkpoint is not None:
        found = found.filter(checkpoint=wanted.checkpoint or None)
    if wanted.policy is not None:
        # By number, so that the database knows how many events a version has.
        found = found.filter(policy__in=list(ThresholdPolicy.objects.filter(version=wanted.policy).values_list("pk")))
    if wanted.decisions:
        found = found.filter(decision__in=wanted.decisions)
    if wanted.reason:
        found = found.alias(codes=reason_codes("reasons")).filter(codes__contains=[wanted.reason])  # type: ignore[misc]  # JSON
    return found.filter(_reviewed(wanted.review, user)) if wanted.review else found


def _reviewed(state: str, user: User) -> Q:
    seen = visible_verdicts(user).order_by()
    here = seen.filter(event=OuterRef("pk"))
    # Not superseded_by=None: of that join the database expects no row, and then searches in the wrong order.
    standing = seen.filter(~Exists(Verdict.objects.filter(supersedes=OuterRef("pk"))))
    match state:
        case "unreviewed":
            return ~Q(Exists(here))
        case "reviewed":
            return Q(Exists(here))
        case "overridden":
            return Q(Exists(EventOverride.objects.filter(event=OuterRef("pk"))))
        case "waiting":
            return Q(pk__in=queue(user).order_by().values("event"))
        case "disputed":
            # Of two that differ the later one contradicts: those are few, and found by an index.
            other = standing.filter(event=OuterRef("event")).exclude(code=OuterRef("code"))
            return Q(pk__in=standing.filter(Exists(other), contradicts=True).values("event"))
        case _:
            return Q(Exists(standing.filter(event=OuterRef("pk"), code=state)))


def _ways(wanted: EventFilter, user: User) -> list[Q]:
    """What is asked of several columns, one condition for each; a single empty one where nothing is."""
    by_person = _concerning(legal.rows_of(wanted.person)) if wanted.person is not None else []
    if not wanted.text.strip():
        return by_person or [Q()]
    by_text = _mentioning(wanted, user)
    if not by_person:
        return by_text
    # The events of one person are few: each is looked at for the text.
    mentions = functools.reduce(operator.or_, by_text)
    return [way & mentions for way in by_person]


def _concerning(people: Sequence[int]) -> list[Q]:
    return [Q(person__in=people), Q(best_person__in=people), Q(claimed_person__in=people)]


def _mentioning(wanted: EventFilter, user: User) -> list[Q]:
    query = _ts_query(wanted.words)
    if query is None:
        return [Q(pk__in=[])]
    overrides = EventOverride.objects.filter(SearchVectorExact(words("reason"), query))
    notes = visible_verdicts(user).order_by().exclude(note="").filter(SearchVectorExact(words("note"), query))
    people = people_called(wanted.text)
    return [
        Q(~Q(claimed_id=""), claimed_id__istartswith=wanted.text.strip()),
        Q(pk__in=overrides.order_by().values("event")),
        Q(pk__in=notes.values("event")),
        *(_concerning(people) if people else ()),
    ]


def _ts_query(wanted: Sequence[str]) -> SearchQuery | None:
    """A search for all of these words or beginnings of words; None for no word."""
    if not wanted:
        return None
    return SearchQuery(" & ".join(f"'{word}':*" for word in wanted), config="simple", search_type="raw")


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
