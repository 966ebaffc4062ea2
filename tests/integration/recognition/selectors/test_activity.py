"""What the dashboard counts, on a real database."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from django.utils import timezone

from recognition.decision.retention import RetentionClass
from recognition.models import EventPlace
from recognition.selectors import activity
from recognition.selectors.activity import Period
from tests import fakes

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 5, 4, 12, 30, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.mark.parametrize(("period", "steps"), [(Period.DAY, 24), (Period.WEEK, 7), (Period.MONTH, 30)])
def test_a_time_without_events_has_its_hours_or_days_and_no_rates(period: Period, steps: int) -> None:
    found = activity.read(period=period, now=NOON)
    assert (len(found.over_time), found.by_checkpoint, found.total.total) == (steps, (), 0)
    assert found.total.failure_to_acquire is None


def test_decisions_are_counted_by_hour_and_by_checkpoint_with_those_that_compared_nothing() -> None:
    door = fakes.checkpoint("door")
    fakes.event(decided_at=NOON - 25 * HOUR)
    fakes.event(decided_at=NOON, similarity=0.7)
    fakes.event(decided_at=NOON - 3 * HOUR, checkpoint=door, decision="reject_no_match", similarity=0.2)
    fakes.event(decided_at=NOON - 3 * HOUR, checkpoint=door, decision="no_decision_quality")
    fakes.event(decided_at=NOON - 3 * HOUR, checkpoint=door, decision="no_decision_timeout", votes=[{}])
    fakes.event(decided_at=NOON - 3 * HOUR, checkpoint=door, decision="locked_out")
    found = activity.read(period=Period.DAY, now=NOON)
    counted = [(start.hour, tally.total, tally.not_acquired) for start, tally in found.over_time if tally.total]
    assert counted == [(9, 4, 1), (12, 1, 0)]
    by_checkpoint = [(place, tally.total) for place, tally in found.by_checkpoint]
    assert by_checkpoint == [(EventPlace(door.name), 4), (EventPlace(), 1)]
    assert found.total.by_outcome == {
        RetentionClass.ACCEPTED: 1,
        RetentionClass.UNKNOWN: 1,
        RetentionClass.REFUSED: 1,
        RetentionClass.NO_DECISION: 2,
    }
    assert found.total.failure_to_acquire == 1 / 4  # a lockout looks for no face


def test_what_was_seen_in_videos_is_counted_apart_from_the_live_page() -> None:
    for changes in ({"reasons": fakes.FROM_VIDEO}, {"reasons": fakes.FROM_VIDEO, "decision": "reject_no_match"}, {}):
        fakes.event(decided_at=NOON, **changes)
    found = activity.read(period=Period.DAY, now=NOON)
    assert [(str(place), tally.total) for place, tally in found.by_checkpoint] == [("video", 2), ("live page", 1)]
    assert found.total.total == 3


def test_days_begin_at_midnight_of_the_time_zone_and_one_of_23_hours_is_a_day() -> None:
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    noon = dt.datetime(2026, 3, 30, 12, tzinfo=berlin)
    midnight = dt.datetime(2026, 3, 29, tzinfo=berlin)  # the clocks are put forward that night
    fakes.event(decided_at=midnight)
    fakes.event(decided_at=midnight - dt.timedelta(microseconds=1))
    with timezone.override(berlin):
        found = activity.read(period=Period.WEEK, now=noon)
    assert [tally.total for _, tally in found.over_time] == [0, 0, 0, 0, 1, 1, 0]


def test_an_hour_that_the_clocks_give_twice_is_counted_once_each_time() -> None:
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    noon = dt.datetime(2026, 10, 25, 12, tzinfo=berlin)  # the clocks were put back that night
    first = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)  # 02:30, and an hour later 02:30 again
    for moment in (first, first + HOUR, first + HOUR):
        fakes.event(decided_at=moment)
    with timezone.override(berlin):
        found = activity.read(period=Period.DAY, now=noon)
    assert [tally.total for _, tally in found.over_time if tally.total] == [1, 2]
    assert len(found.over_time) == len({start for start, _ in found.over_time}) == 24


def test_a_claim_that_is_not_recognised_is_refused_and_a_stranger_is_unknown() -> None:
    fakes.event(decided_at=NOON, decision="reject_no_match", kind="verification")
    fakes.event(decided_at=NOON, decision="reject_no_match")
    counted = activity.read(period=Period.DAY, now=NOON).total.by_outcome
    assert (counted[RetentionClass.REFUSED], counted[RetentionClass.UNKNOWN]) == (1, 1)
