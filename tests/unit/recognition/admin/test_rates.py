from __future__ import annotations

import pytest

from recognition.admin import rates
from recognition.evaluation.targets import Rate


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.5, "50.0 %"),
        (0.0123, "1.23 %"),
        (0.00101, "0.101 %"),
        (1e-5, "0.00100 %"),
        (1e-9, "0.000000 %"),
    ],
)
def test_a_rate_is_shown_to_three_digits(share: float, shown: str) -> None:
    assert rates.percent(share) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.05, "5 %"), (0.005, "0.5 %"), (0.001, "0.1 %"), (1e-4, "1 in 10,000"), (1e-6, "1 in 1,000,000")],
)
def test_a_wanted_rate_is_shown_as_it_is_spoken(share: float, shown: str) -> None:
    assert rates.target(share) == shown


def test_counts_and_how_sure_they_are() -> None:
    assert rates.counted(Rate(1, 20_000)) == "1 of 20,000"
    assert rates.interval(Rate(0, 30).interval) == "0 % to 10.0 %"
    assert rates.interval(Rate(0, 0).interval) == ""
