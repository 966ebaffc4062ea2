from __future__ import annotations

import datetime as dt

import pytest

from recognition import video_wording
from recognition.decision.appearances import Appearance
from recognition.decision.verdict import Decision


@pytest.mark.parametrize(
    ("at_s", "expected"), [(0.0, "0:00.0"), (59.96, "1:00.0"), (75.04, "1:15.0"), (3725.5, "1:02:05.5")]
)
def test_a_time_is_written_as_players_write_it(at_s: float, expected: str) -> None:
    assert video_wording.clock(at_s) == expected


@pytest.mark.parametrize(("last_s", "expected"), [(3.0, "0:01.0 to 0:03.0"), (1.04, "0:01.0"), (1.0, "0:01.0")])
def test_what_begins_and_ends_at_one_time_has_one_time(last_s: float, expected: str) -> None:
    assert video_wording.span(1.0, last_s) == expected


@pytest.mark.parametrize(
    ("passed_s", "left"), [(10, "less than a minute is"), (60, "about 1 minute is"), (150, "about 2 minutes are")]
)
def test_how_far_a_video_is_says_what_is_left(passed_s: int, left: str) -> None:
    said = video_wording.progress(done=50, total=100, passed=dt.timedelta(seconds=passed_s))
    assert said == f"50 % is watched, {left} left."


def test_the_table_of_nobody_is_empty() -> None:
    assert list(video_wording.rows([])) == []


def test_the_table_has_people_first_and_no_formulas() -> None:
    seen = [
        Appearance("1", 0.0, 2.0, Decision.REJECT_NO_MATCH, similarity=0.2),
        Appearance("2", 1.0, 3.0, Decision.ACCEPT, 7, "=Ada", 0.71234),
        Appearance("3", 5.0, 6.0, Decision.ACCEPT, 7, "=Ada", 0.8),
        Appearance("4", 6.0, 7.0),
    ]
    assert list(video_wording.rows(seen)) == [
        ("person", 7, "'=Ada", "1.000", "6.000", 2, "0.8000", "accept", ""),
        ("appearance", "", "", "0.000", "2.000", 1, "0.2000", "reject_no_match", 1),
        ("appearance", 7, "'=Ada", "1.000", "3.000", 1, "0.7123", "accept", ""),
        ("appearance", 7, "'=Ada", "5.000", "6.000", 1, "0.8000", "accept", ""),
        ("appearance", "", "", "6.000", "7.000", 1, "", "", 2),
    ]
