from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from recognition.bench import soak
from recognition.bench.soak import Holdings
from recognition.bench.visits import Visited

QUIET = Holdings({"server": 100.0}, threads=20, tasks=5, sockets=0, database_connections=4)


@pytest.mark.parametrize(
    ("after", "leaks"),
    [
        ({}, (0, 0, 0, 0)),
        ({"tasks": 7}, (2, 0, 0, 0)),
        ({"threads": 21}, (0, 1, 0, 0)),
        ({"sockets": 32}, (0, 0, 32, 0)),
        ({"database_connections": 5}, (0, 0, 0, 1)),
        ({"tasks": 1, "threads": 1, "database_connections": 1}, (0, 0, 0, 0)),
    ],
)
def test_a_leak_is_what_is_held_more_than_before(after: dict[str, Any], leaks: tuple[int, ...]) -> None:
    assert soak._leaks(QUIET, dataclasses.replace(QUIET, **after)) == leaks


def test_growth_is_that_of_the_last_tenth_over_the_first() -> None:
    samples = [{"server": 80.0 + number, "jobs": 20.0} for number in range(20)]
    measured = soak._summary(60.0, Visited(10, 5, 100, 0), samples, QUIET, QUIET)
    assert (measured.warm_mb, measured.end_mb) == (100.5, 118.5)
    assert measured.growth == pytest.approx(118.5 / 100.5 - 1)
    assert measured.memory_mb == {"server": 18.0, "jobs": 0.0}


def test_one_sample_is_enough_to_tell_what_was_held() -> None:
    measured = soak._summary(3.0, Visited(1, 0, 1, 0), [{"server": 50.0}], QUIET, QUIET)
    assert (measured.growth, measured.leaked_tasks) == (0.0, 0)
