"""The timeline of a video: a row for each person in it and for each face that nobody was recognised by."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext

from recognition import video_wording
from recognition.decision import appearances
from recognition.decision.appearances import Appearance
from recognition.models import RecognitionEvent

LEAST_PERCENT = 0.5
"""A bar is this part of the video's length at least, so that a glance of a second is seen in an hour."""


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time as a bar.

    Args:
        x: where it begins, in hundredths of the video's length.
        width: how long it is, in the same.
        at_s: when it begins, in seconds.
        words: from when to when.
    """

    x: float
    width: float
    at_s: float
    words: str


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """Somebody in a video.

    Args:
        label: name, or what was decided.
        person_id: who; None for somebody unknown.
        crop: the number of the appearance that has the best view; empty without one.
        spans: when they were there.
        similarity: the highest of a decision; None without one.
        events: numbers of the events.
    """

    label: str
    person_id: int | None
    crop: str
    spans: tuple[Span, ...]
    similarity: float | None
    events: tuple[int, ...]


def rows(seen: Sequence[Appearance], events: Mapping[str, int], duration_s: float) -> tuple[Row, ...]:
    """The people first, then everybody else, each in the order in which they came.

    Args:
        seen: all appearances.
        events: the event of each that has one, by its number.
        duration_s: of the video.
    """
    people = [_row(each.person_name, each.appearances, events, duration_s) for each in appearances.people(seen)]
    others = [each for each in seen if each.person_id is None]
    unknown = [_row(_unnamed(number, each), (each,), events, duration_s) for number, each in enumerate(others, start=1)]
    return (*people, *unknown)


def _row(label: str, theirs: Sequence[Appearance], events: Mapping[str, int], duration_s: float) -> Row:
    best = max(theirs, key=lambda each: each.best_score)
    similarities = [each.similarity for each in theirs if each.similarity is not None]
    return Row(
        label=label,
        person_id=best.person_id,
        crop=best.track_id if best.best_score >= 0 else "",
        spans=tuple(_spans(theirs, duration_s)),
        similarity=max(similarities) if similarities else None,
        events=tuple(events[each.track_id] for each in theirs if each.track_id in events),
    )


def _spans(theirs: Iterable[Appearance], duration_s: float) -> Iterable[Span]:
    for each in theirs:
        length_s = max(duration_s, each.last_s, 1e-3)
        width = max(100 * (each.last_s - each.first_s) / length_s, LEAST_PERCENT)
        words = video_wording.span(each.first_s, each.last_s)
        x = min(100 * each.first_s / length_s, 100 - width)
        yield Span(round(x, 2), round(width, 2), round(each.first_s, 2), words)


def _unnamed(number: int, seen: Appearance) -> str:
    if not seen.decision:
        return gettext("Face %(number)d: not decided") % {"number": number}
    decided = RecognitionEvent(decision=seen.decision.value).get_decision_display()
    return gettext("Face %(number)d: %(decision)s") % {"number": number, "decision": decided}
