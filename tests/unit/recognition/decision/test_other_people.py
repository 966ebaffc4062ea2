from __future__ import annotations

import numpy as np
import pytest

from recognition.decision import other_people
from recognition.decision.classifiers import MADE_UP
from recognition.decision.other_people import OtherPeople
from recognition.vision.errors import InvalidArray
from recognition.vision.templates import Templates

AXES = np.eye(4, dtype=np.float32)
NOBODY = Templates(np.empty(0, np.int64), np.empty(0, np.int64), AXES[:0])
ENROLLED = Templates(np.array([70]), np.array([7]), AXES[:1])


def others(count: int, *, told: bool = False) -> OtherPeople:
    numbers = np.arange(1, count + 1)
    return OtherPeople(AXES[:count], numbers, numbers, np.full(count, told))


@pytest.mark.parametrize(
    ("there", "gallery", "left"),
    [
        (others(0), NOBODY, []),
        (others(0), ENROLLED, []),
        (others(3), NOBODY, [1, 2, 3]),
        (others(3), ENROLLED, [2, 3]),  # the first may be who is enrolled
        (others(3, told=True), ENROLLED, [1, 2, 3]),  # and is not, somebody said
    ],
)
def test_who_may_be_enrolled_is_nobody_else(there: OtherPeople, gallery: Templates, left: list[int]) -> None:
    assert there.not_in(gallery, 0.5).sources.tolist() == left


def test_the_threshold_itself_is_enough_to_be_left_out_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_people, "BLOCK_ROWS", 1)
    assert others(4).not_in(ENROLLED, 0.0).sources.tolist() == []


def test_people_who_do_not_exist_are_each_somebody_by_themselves() -> None:
    both = others(2).and_made_up(AXES[2:])
    assert (len(both), both.seen) == (4, 2)
    assert both.sources.tolist() == [1, 2, MADE_UP, MADE_UP]
    assert len(set(both.groups.tolist())) == 4
    assert both.only(both.sources == MADE_UP).seen == 0


def test_refuses_arrays_that_do_not_fit() -> None:
    with pytest.raises(InvalidArray, match="told: expected"):
        OtherPeople(AXES, np.arange(4), np.arange(4), np.zeros(3, np.bool_))
