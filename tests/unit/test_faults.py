"""What the fault tests make of what cameras saw."""

from __future__ import annotations

import pytest

from tests.faults.cameras import outage_s


@pytest.mark.parametrize(
    ("analysed_at", "expected"),
    [
        ([], None),  # nothing ever came again
        ([9.0], None),
        ([10.5, 11.0, 11.9, 12.8, 13.7, 14.6, 15.5, 16.4, 17.3, 18.2, 19.1], 0.0),  # it never stood still
        ([10.5, 13.5, 14.0, 14.9, 15.8, 16.7, 17.6, 18.5, 19.4], 3.5),
        ([10.5, 12.5, 13.0, 15.0, 15.9, 16.8, 17.7, 18.6, 19.5], 5.0),  # the last gap counts
        ([10.5, 12.5, 13.0], None),  # it stands still again
    ],
)
def test_an_outage_lasts_until_the_end_of_the_last_gap(analysed_at: list[float], expected: float | None) -> None:
    assert outage_s(analysed_at, since=10.0, until=20.0) == expected
