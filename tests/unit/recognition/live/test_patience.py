from __future__ import annotations

import pytest

from recognition.live.patience import Patience


@pytest.mark.parametrize(
    ("looks", "pauses_s"),
    [
        ([], []),
        ([("1", False), ("1", False)], [10, 10]),
        ([("1", True)], [10]),
        ([("1", True)] * 8, [10, 20, 40, 80, 160, 300, 300, 300]),
        ([("1", True), ("1", True), ("2", True), ("1", True)], [10, 20, 10, 10]),  # another face
        ([("1", True), ("1", True), ("1", False), ("1", True)], [10, 20, 10, 10]),  # it was seen well meanwhile
        ([(None, True), (None, False)], [10, 10]),
    ],
)
def test_wears_out_with_one_face_that_cannot_be_seen_well(
    looks: list[tuple[str | None, bool]], pauses_s: list[float]
) -> None:
    patience = Patience()
    assert [patience.pause_s(track, was_unusable=was_unusable) for track, was_unusable in looks] == pauses_s


def test_knows_the_face_that_wears_it_out() -> None:
    patience = Patience()
    assert not patience.is_worn_by("1")
    patience.pause_s("1", was_unusable=True)
    assert (patience.is_worn_by("1"), patience.is_worn_by("2")) == (True, False)
    patience.pause_s("1", was_unusable=False)
    assert not patience.is_worn_by("1")


def test_of_a_thousand_looks_ends_in_no_overflow() -> None:
    patience = Patience()
    assert [patience.pause_s("1", was_unusable=True) for _ in range(2000)][-1] == 300
