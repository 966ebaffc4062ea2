"""Measured thresholds as people read them."""

from __future__ import annotations

import dataclasses

from recognition.models import ModelPack


@dataclasses.dataclass(frozen=True, slots=True)
class PointRow:
    """One measured threshold.

    Args:
        threshold: a similarity.
        one_in: of so many comparisons of different people one reaches it.
        tmr_percent: share of comparisons of one person that reach it; a rate, unlike a similarity.
    """

    threshold: float
    one_in: int
    tmr_percent: float


def operating_points(pack: ModelPack) -> tuple[PointRow, ...]:
    """The pack's measured thresholds, the strictest last."""
    points = sorted(pack.operating_points, key=lambda point: float(point["threshold"]))
    return tuple(
        PointRow(float(point["threshold"]), round(1 / float(point["fmr"])), float(point["tmr"]) * 100)
        for point in points
    )
