"""What the log of events is searched for, as conditions of the database.

What can be in one of several columns (a person who was accepted, closest or claimed; a word in a name, a note or an id)
is a condition for each, so that every one goes by an index of its own.
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
from django.db.models import Exists, OuterRef, Q, QuerySet

from recognition.decision.reviews import ReviewVerdict
from recognition.decision.verdict import TransactionReason
from recognition.models import EventOverride, Person, RecognitionEvent, ThresholdPolicy, Verdict
from recognition.models.searching import WORD_BREAKS, has_reason, words
from recognition.selectors import legal
from recognition.selectors.reviews import queue, visible_verdicts

MOST_PEOPLE = 100
"""People whose names may fit a text: of more, their events are not looked for by name."""

LIVE_PAGE, VIDEO = 0, -1
"""Stand for the live page and for videos where a checkpoint is asked for; no checkpoint has these numbers."""

REVIEW_STATES = ("unreviewed", "reviewed", "disputed", "waiting", "overridden", *(code.value for code in ReviewVerdict))
"""By what was said of an event afterwards. "waiting" is what waits for whoever asks; a verdict is one that stands."""

_BREAKS = re.compile(f"[\\s{re.escape(WORD_BREAKS)}]+")


@dataclasses.dataclass(frozen=True, slots=True)
class EventFilter:
    """What is looked for; whatever is left out keeps every event.

    Args:
        since: first moment.
        until: first moment after.
        checkpoint: primary key, `LIVE_PAGE` or `VIDEO`.
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


def filtered(wanted: EventFilter, user: User) -> QuerySet[RecognitionEvent]:
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
        found = found.filter(_at(wanted.checkpoint))
    if wanted.policy is not None:
        # By number, so that the database knows how many events a version has.
        found = found.filter(policy__in=list(ThresholdPolicy.objects.filter(version=wanted.policy).values_list("pk")))
    if wanted.decisions:
        found = found.filter(decision__in=wanted.decisions)
    if wanted.reason:
        found = found.filter(has_reason("reasons", wanted.reason))
    return found.filter(_reviewed(wanted.review, user)) if wanted.review else found


def ways(wanted: EventFilter, user: User) -> list[Q]:
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


def people_called(text: str) -> list[int]:
    """Primary keys of the people whose name or id has words that begin like those of a text, at most `MOST_PEOPLE`."""
    query = _ts_query(EventFilter(text=text).words)
    if query is None:
        return []
    name, external_id = SearchVectorExact(words("name"), query), SearchVectorExact(words("external_id"), query)
    found = Person.objects.filter(Q(name) | Q(external_id)).order_by("pk")
    return list(found.values_list("pk", flat=True)[:MOST_PEOPLE])


def _at(place: int) -> Q:
    """The events of a checkpoint, by its number, of the live page, or of videos."""
    from_video = Q(has_reason("reasons", TransactionReason.FROM_VIDEO))
    if place == VIDEO:
        return from_video
    return Q(checkpoint=None) & ~from_video if place == LIVE_PAGE else Q(checkpoint=place)


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
            # Of two that differ the later one contradicts: those are few, and found by an index. By number, so that the
            # database knows how few, and begins with them.
            other = standing.filter(event=OuterRef("event")).exclude(code=OuterRef("code"))
            found = standing.filter(Exists(other), contradicts=True)
            return Q(pk__in=list(found.values_list("event", flat=True)))
        case _:
            return Q(Exists(standing.filter(event=OuterRef("pk"), code=state)))


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
