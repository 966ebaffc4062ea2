from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.live.link import LinkWindow
from recognition.live.messages import MAX_WINDOW


def test_a_session_starts_with_one_frame_in_flight() -> None:
    assert LinkWindow().size == 1


@pytest.mark.parametrize(
    ("link_ms", "server_ms", "size"),
    [
        (0, 20, 1),
        (2, 20, 1),  # a short link: the worker hardly waits
        (3, 20, 2),
        (20, 20, 2),
        (50, 20, MAX_WINDOW),
        (9, 4, 2),  # a quick worker, beside a link that two frames cover
        (11, 4, MAX_WINDOW),
        (5_000, 20, MAX_WINDOW),
        (200, 5_000, 1),  # a slow server is not helped by more frames
        (-100, 20, 1),
    ],
)
def test_the_window_covers_the_link_for_as_long_as_the_worker_takes(
    link_ms: float, server_ms: float, size: int
) -> None:
    window = LinkWindow()
    for _ in range(50):
        window.measured(link_ms=link_ms, server_ms=server_ms)
    assert window.size == size


def test_one_late_frame_moves_the_window_by_one_and_not_for_long() -> None:
    window = LinkWindow()
    for _ in range(50):
        window.measured(link_ms=0.5, server_ms=20)
    window.measured(link_ms=40, server_ms=20)
    assert window.size == 2
    for _ in range(10):
        window.measured(link_ms=0.5, server_ms=20)
    assert window.size == 1


@given(st.lists(st.tuples(st.floats(0, 1e12), st.floats(0, 1e12)), max_size=30))
def test_whatever_a_page_claims_the_window_stays_within_its_limits(measurements: list[tuple[float, float]]) -> None:
    window = LinkWindow()
    for link_ms, server_ms in measurements:
        window.measured(link_ms=link_ms, server_ms=server_ms)
        assert 1 <= window.size <= MAX_WINDOW


def test_a_page_that_claimed_an_endless_link_recovers() -> None:
    window = LinkWindow()
    window.measured(link_ms=math.inf, server_ms=20)
    for _ in range(60):
        window.measured(link_ms=0, server_ms=20)
    assert window.size == 1
