"""What was decided over time and at each checkpoint, for the dashboard."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import enum
from collections.abc import Iterator, Mapping

from django.db.models import Count, F
from django.db.models.functions import TruncDay, TruncHour
from django.utils import timezone

from recognition.decision.retention import RetentionClass, class_of
from recognition.decision.verdict import Decision, TransactionReason
from recognition.models import EventPlace, RecognitionEvent
from recognition.models.searching import has_reason
from recognition.selectors import retention
from recognition.selectors.error_rates import NO_TRANSACTION, NOT_ACQUIRED


class Period(enum.IntEnum):
    """How far back the dashboard looks, in days."""

    DAY = 1
    WEEK = 7
    MONTH = 30


@dataclasses.dataclass(frozen=True, slots=True)
class Tally:
    """Decisions of one hour, one day, or one checkpoint.

    Args:
        by_outcome: how many of each kind.
        attempts: transactions in which a face was looked for; neither lockouts nor errors are any.
        not_acquired: of those, how many ended before any face could be compared.
    """

    by_outcome: Mapping[RetentionClass, int]
    attempts: int
    not_acquired: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_outcome.values())

    @property
    def failure_to_acquire(self) -> float | None:
        """Share of attempts in which no face could be compared (FTA, ISO/IEC 19795-1); None without any."""
        return self.not_acquired / self.attempts if self.attempts else None


@dataclasses.dataclass(frozen=True, slots=True)
class Activity:
    """What was decided in a period.

    Args:
        period: which one.
        over_time: of each hour or day from the first to the present one, also where nothing was decided.
        by_checkpoint: the busiest first; videos and the live page among them.
        total: of the whole period.
        is_whole: whether retention removed nothing of the period; else these are the events that it left.
    """

    period: Period
    over_time: tuple[tuple[dt.datetime, Tally], ...]
    by_checkpoint: tuple[tuple[EventPlace, Tally], ...]
    total: Tally
    is_whole: bool


def read(*, period: Period, now: dt.datetime) -> Activity:
    """Counts the decisions of a period; one query reads its events alone.

    Args:
        period: how far to look back. The first hour or day is whole.
        now: with a time zone.
    """
    starts = tuple(_starts(period, timezone.localtime(now)))
    truncated = TruncHour("decided_at", tzinfo=dt.UTC) if period is Period.DAY else TruncDay("decided_at")
    rows = (
        RecognitionEvent.objects.filter(decided_at__gte=starts[0])
        .order_by()
        .annotate(
            start=truncated, name=F("checkpoint__name"), is_video=has_reason("reasons", TransactionReason.FROM_VIDEO)
        )
        .values_list("start", "name", "is_video", "kind", "decision")
        .annotate(count=Count("pk"), failed=Count("pk", filter=NOT_ACQUIRED))
    )
    times: dict[dt.datetime, _Counts] = collections.defaultdict(_Counts)
    places: dict[EventPlace, _Counts] = collections.defaultdict(_Counts)
    everything = _Counts()
    for start, name, is_video, kind, code, count, failed in rows:
        for counts in (times[start], places[EventPlace(name or "", is_video)], everything):
            counts.add(Decision(code), is_claim=kind == RecognitionEvent.Kind.VERIFICATION, count=count, failed=failed)
    return Activity(
        period,
        tuple((start, times[start].tally()) for start in starts),
        tuple(sorted(((place, counts.tally()) for place, counts in places.items()), key=_busiest_first)),
        everything.tally(),
        retention.is_whole(starts[0]),
    )


def _starts(period: Period, now: dt.datetime) -> Iterator[dt.datetime]:
    """The beginning of each hour of a day, or of each day of a longer period, the present one last.

    Hours are those of UTC: where the clocks are put back, one of the site would be there twice.
    """
    if period is Period.DAY:
        present = now.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
        yield from (present - dt.timedelta(hours=hours) for hours in reversed(range(24)))
        return
    for days in reversed(range(period)):
        day = now.date() - dt.timedelta(days=days)
        yield timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _busiest_first(row: tuple[EventPlace, Tally]) -> tuple[int, EventPlace]:
    place, tally = row
    return -tally.total, place


class _Counts:
    def __init__(self) -> None:
        self._by_outcome: collections.Counter[RetentionClass] = collections.Counter()
        self._attempts = self._not_acquired = 0

    def add(self, decision: Decision, *, is_claim: bool, count: int, failed: int) -> None:
        self._by_outcome[class_of(decision, is_claim=is_claim)] += count
        if decision not in NO_TRANSACTION:
            self._attempts += count
            self._not_acquired += failed

    def tally(self) -> Tally:
        return Tally(
            {outcome: self._by_outcome[outcome] for outcome in RetentionClass}, self._attempts, self._not_acquired
        )
