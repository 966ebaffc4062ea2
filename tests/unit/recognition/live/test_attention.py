from __future__ import annotations

import pytest

from recognition.live.attention import EVERYWHERE_EVERY_S, MOST_AROUND, Attention
from recognition.services.frames import FrameOutcome, FrameStatus, TrackHint
from tests import fakes

EVERYWHERE = FrameOutcome(FrameStatus.ANALYSED, everywhere=True)
NEAR = FrameOutcome(FrameStatus.ANALYSED, everywhere=False)


def hint(number: int = 0, *, due: bool = False) -> TrackHint:
    return TrackHint(str(number), fakes.box(100.0 * number, 0, 50), due, better_than=9.0)


def looked_everywhere(at_s: float) -> Attention:
    attention = Attention()
    attention.looked(EVERYWHERE, at_s)
    return attention


def test_the_first_frame_is_looked_at_everywhere() -> None:
    assert Attention().near([hint()], 5.0) == ()


@pytest.mark.parametrize(
    ("hints", "since_s", "is_near"),
    [
        ([], 0.1, False),
        ([hint()], 0.1, True),
        ([hint(0), hint(1)], 0.1, True),
        ([hint()], EVERYWHERE_EVERY_S - 0.01, True),
        ([hint()], EVERYWHERE_EVERY_S + 0.01, False),
        ([hint(0), hint(1, due=True)], 0.1, False),
        ([hint(number) for number in range(MOST_AROUND)], 0.1, True),
        ([hint(number) for number in range(MOST_AROUND + 1)], 0.1, False),
    ],
)
def test_only_a_moment_later_and_with_nothing_to_decide_only_around(
    hints: list[TrackHint], since_s: float, is_near: bool
) -> None:
    near = looked_everywhere(5.0).near(hints, 5.0 + since_s)
    assert near == (tuple(each.box for each in hints) if is_near else ())


def test_what_was_looked_at_only_around_does_not_count() -> None:
    attention = looked_everywhere(5.0)
    attention.looked(NEAR, 5.2)
    assert attention.near([hint()], 5.0 + EVERYWHERE_EVERY_S + 0.01) == ()
