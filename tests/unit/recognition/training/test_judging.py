from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from recognition.evaluation.error_rates import NoScores
from recognition.training import judging
from recognition.training.judging import Judgement, Point

POINT = Point(fmr=0.01, before=0.9, after=0.9, threshold=0.5, is_supported=True)


def judgement(*after: float, unsupported: float | None = None) -> Judgement:
    points = [dataclasses.replace(POINT, after=rate) for rate in after]
    if unsupported is not None:
        points.append(dataclasses.replace(POINT, after=unsupported, is_supported=False))
    return Judgement(tuple(points), 10, 10_000)


@pytest.mark.parametrize(
    ("found", "is_better"),
    [
        (judgement(), False),
        (judgement(0.9), False),
        (judgement(0.91), True),
        (judgement(0.91, 0.9), True),
        (judgement(0.95, 0.89), False),
        (judgement(0.91, unsupported=0.1), True),
        (judgement(0.9, unsupported=1.0), False),
    ],
)
def test_a_head_is_better_where_no_point_that_can_be_told_is_worse(found: Judgement, is_better: bool) -> None:
    assert found.is_better is is_better


def test_both_trade_offs_are_of_the_same_pairs() -> None:
    angles = np.radians([0, 40, 50, 90])
    before = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    people = np.array([1, 1, 2, 2])
    found = judging.judged(before, before[[0, 0, 3, 3]], people)
    assert (found.mated, found.non_mated) == (2, 4)
    # Of four pairs of two people none may match: before, those at 40 and 50 degrees are closer than mated ones.
    assert [(point.before, point.after, point.is_supported) for point in found.points] == [(0.0, 1.0, False)] * 4
    assert not found.is_better


def test_one_person_alone_cannot_be_judged() -> None:
    with pytest.raises(NoScores):
        judging.judged(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), np.array([1, 1]))
