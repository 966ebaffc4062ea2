from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.decision.standing import Bar, Standing
from tests import fakes

NOW = fakes.NOW
MOMENT = dt.timedelta(microseconds=1)
GOOD = Standing(1, is_deny_listed=False, is_suspended=False, valid_from=None, valid_until=None, group_ids=frozenset())


@pytest.mark.parametrize(
    ("change", "bars"),
    [
        ({}, ()),
        ({"is_deny_listed": True}, (Bar.DENY_LIST,)),
        ({"is_suspended": True}, (Bar.SUSPENDED,)),
        ({"valid_from": NOW}, ()),  # from that moment on
        ({"valid_from": NOW + MOMENT}, (Bar.NOT_YET_VALID,)),
        ({"valid_until": NOW + MOMENT}, ()),
        ({"valid_until": NOW}, (Bar.NO_LONGER_VALID,)),  # up to, not including
        ({"valid_from": NOW, "valid_until": NOW}, (Bar.NO_LONGER_VALID,)),  # a time of no length admits never
    ],
)
def test_each_bar_holds_from_its_very_moment(change: dict[str, Any], bars: tuple[Bar, ...]) -> None:
    assert dataclasses.replace(GOOD, **change).bars(NOW, None) == bars


@pytest.mark.parametrize(
    ("belongs_to", "allowed", "bars"),
    [
        (frozenset(), None, ()),  # everyone
        (frozenset(), frozenset(), (Bar.WRONG_GROUP,)),  # nobody
        (frozenset({1}), frozenset(), (Bar.WRONG_GROUP,)),
        (frozenset(), frozenset({1}), (Bar.WRONG_GROUP,)),
        (frozenset({2}), frozenset({1}), (Bar.WRONG_GROUP,)),
        (frozenset({2, 1}), frozenset({1, 3}), ()),  # one in common is enough
    ],
)
def test_a_group_in_common_admits(
    belongs_to: frozenset[int], allowed: frozenset[int] | None, bars: tuple[Bar, ...]
) -> None:
    assert dataclasses.replace(GOOD, group_ids=belongs_to).bars(NOW, allowed) == bars


def test_every_bar_is_named_with_the_gravest_first() -> None:
    worst = Standing(1, True, True, NOW + MOMENT, NOW - MOMENT, frozenset())
    assert worst.bars(NOW, frozenset()) == tuple(Bar)
    assert [bar.value for bar in Bar] == ["deny_list", "suspended", "not_yet_valid", "no_longer_valid", "wrong_group"]


@given(st.sets(st.sampled_from(list(Bar))))
def test_any_bars_together_are_found_together(bars: set[Bar]) -> None:
    allowed = frozenset({1}) if Bar.WRONG_GROUP in bars else None
    assert set(fakes.standing(1, *bars).bars(NOW, allowed)) == bars


def test_times_without_a_zone_are_refused() -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="now: expected a time with a time zone, got 2026-03-01T12:00:00"):
        GOOD.bars(naive, None)
    with pytest.raises(ValueError, match="valid_from: expected a time with a time zone"):
        dataclasses.replace(GOOD, valid_from=naive)
    with pytest.raises(ValueError, match="valid_until: expected a time with a time zone"):
        dataclasses.replace(GOOD, valid_until=naive)


def test_one_moment_is_the_same_in_every_zone() -> None:
    elsewhere = NOW.astimezone(dt.timezone(dt.timedelta(hours=9)))
    assert dataclasses.replace(GOOD, valid_until=elsewhere).bars(NOW, None) == (Bar.NO_LONGER_VALID,)
