"""Charts for the admin's own chart component: numbers in, the texts that its attributes hold out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

# The component reads the colours of lines from these properties of admin.css once, when the page is loaded, so they
# are readable on the light and on the dark surface alike. Its options are JSON and name no property.
FIRST, SECOND = "var(--fw-chart-first)", "var(--fw-chart-second)"
THIRD, FOURTH = "var(--fw-chart-third)", "var(--fw-chart-fourth)"
_TEXT = "#748291"


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart.

    Args:
        label: what it shows.
        points: x and y, in the order in which they are joined.
        colour: one of the four.
        dashes: lengths of stroke and gap, so that lines are told apart without colours; none for a full line.
        fills: whether the area below it is tinted.
    """

    label: str
    points: Sequence[tuple[float, float]]
    colour: str
    dashes: tuple[int, ...] = ()
    fills: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Bars:
    """One bar for each group.

    Args:
        label: what they show.
        values: of the groups; None for a group without.
        colour: one of the four.
    """

    label: str
    values: Sequence[float | None]
    colour: str


@dataclasses.dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a chart.

    Args:
        title: what it measures, with its unit.
        is_logarithmic: whether equal distances are equal factors; then a point at 0 has no place.
        least: where it begins; None leaves it to the points.
        most: where it ends; None leaves it to the points.
    """

    title: str
    is_logarithmic: bool = False
    least: float | None = None
    most: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Chart:
    """What the component is given.

    Args:
        data: JSON of the lines.
        options: JSON of everything else.
        summary: what the chart shows, for those who do not see it; its numbers stand in a table.
    """

    data: str
    options: str
    summary: str


def lines(*shown: Line, x: Axis, y: Axis, summary: str) -> Chart:
    """A chart of lines over a number."""
    options = {**_options(key_height=1), "parsing": False, "scales": {"x": _scale(x), "y": _scale(y)}}
    return Chart(json.dumps({"datasets": [_dataset(line) for line in shown]}), json.dumps(options), summary)


def bars(groups: Sequence[str], *shown: Bars, unit: str, summary: str, is_stacked: bool = False) -> Chart:
    """A chart of bars for each group.

    Args:
        groups: names below the bars.
        shown: what stands there.
        unit: of the upright axis.
        summary: see `Chart`.
        is_stacked: whether they stand on top of each other, the first one lowest, and not side by side.
    """
    upright = {**_scale(Axis(unit, least=0.0)), "stacked": is_stacked}
    along = {
        "stacked": is_stacked,
        "type": "category",
        "grid": {"tickWidth": 0},
        "ticks": {"color": _TEXT, "maxRotation": 60},
    }
    datasets = [
        {"label": each.label, "data": list(each.values), "backgroundColor": each.colour, "maxBarThickness": 32}
        for each in shown
    ]
    options = {**_options(key_height=10), "scales": {"x": along, "y": upright}}
    return Chart(json.dumps({"labels": list(groups), "datasets": datasets}), json.dumps(options), summary)


def _options(*, key_height: int) -> dict[str, Any]:
    key = {"color": _TEXT, "boxHeight": key_height}
    return {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "interaction": {"mode": "nearest", "axis": "x", "intersect": False},
        "plugins": {"legend": {"display": True, "position": "top", "labels": key}},
    }


def _dataset(line: Line) -> dict[str, Any]:
    return {
        "label": line.label,
        "data": [{"x": x, "y": y} for x, y in line.points],
        "borderColor": line.colour,
        "backgroundColor": line.colour,
        "borderDash": line.dashes,
        "borderWidth": 2,
        "pointRadius": 0,
        "fill": "origin" if line.fills else False,
    }


def _scale(axis: Axis) -> dict[str, Any]:
    limits = {"min": axis.least, "max": axis.most}
    return {
        "type": "logarithmic" if axis.is_logarithmic else "linear",
        "title": {"display": True, "text": axis.title, "color": _TEXT},
        "grid": {"tickWidth": 0},
        "ticks": {"color": _TEXT, "maxTicksLimit": 8, "maxRotation": 0},
        **{name: value for name, value in limits.items() if value is not None},
    }
