"""What was measured on the gallery, as charts, as the tables beside them, and as files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from django.http import HttpResponse
from django.utils.translation import gettext
from numpy.typing import NDArray

from recognition.admin import charts, csv_files, rates
from recognition.admin.charts import Axis, Chart, Line
from recognition.evaluation import targets
from recognition.evaluation.gallery_scores import EDGES, Counts, Tally
from recognition.evaluation.targets import Target

FILES = ("similarities", "det", "claims", "searches")
"""Tables that can be saved."""

WIDTH = 20
"""Bins of a thousandth that are drawn as one: steps of 0.02."""

MOST_POINTS = 300
"""Points of a trade-off that are drawn: more than a screen shows."""

SHOWN_FMRS = (0.1, 0.03, 0.01, 0.003, 0.001, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6)
"""Where the table tells the trade-off."""


@dataclasses.dataclass(frozen=True, slots=True)
class SimilarityRow:
    """Comparisons of one step of similarity.

    Args:
        similarity: where the step begins.
        mated: comparisons of one person.
        non_mated: comparisons of two people.
    """

    similarity: str
    mated: str
    non_mated: str


@dataclasses.dataclass(frozen=True, slots=True)
class DetRow:
    """One point of the trade-off.

    Args:
        threshold: the similarity.
        fmr: in words.
        fnmr: in words.
    """

    threshold: str
    fmr: str
    fnmr: str


def similarities(tally: Tally, thresholds: Sequence[tuple[str, float]]) -> Chart:
    """How alike samples of one person and of two people are.

    Args:
        tally: what was counted.
        thresholds: names and values of those in force, drawn as upright lines.
    """
    mated, non_mated = _shares(tally.mated), _shares(tally.non_mated)
    steps = EDGES[::WIDTH]
    seen = np.flatnonzero(mated + non_mated)
    first, last = (max(int(seen[0]) - 1, 0), min(int(seen[-1]) + 1, len(steps) - 1)) if len(seen) else (0, 0)
    inside = range(first, last + 1)
    most = float(max(mated.max(), non_mated.max()))
    dashes = ((6, 4), (2, 3))
    upright = [
        Line(f"{name} {value:.3f}", ((value, 0.0), (value, most)), charts.THIRD, dash)
        for (name, value), dash in zip(thresholds, dashes, strict=False)
    ]
    return charts.lines(
        Line(gettext("One person"), [(float(steps[step]), float(mated[step])) for step in inside], charts.FIRST),
        Line(
            gettext("Two people"),
            [(float(steps[step]), float(non_mated[step])) for step in inside],
            charts.SECOND,
            (8, 3),
        ),
        *upright,
        x=Axis(gettext("Similarity")),
        y=Axis(gettext("% of comparisons"), least=0.0),
        summary=gettext(
            "Two lines over the similarity: what share of the comparisons of one person, and of two people, has it. "
            "The further apart they are, the better. The table below has the numbers."
        ),
    )


def similarity_rows(tally: Tally) -> tuple[SimilarityRow, ...]:
    """The same in numbers, the steps in which there is any."""
    mated, non_mated = _steps(tally.mated), _steps(tally.non_mated)
    return tuple(
        SimilarityRow(f"{EDGES[step * WIDTH]:.2f}", rates.count(int(mated[step])), rates.count(int(non_mated[step])))
        for step in np.flatnonzero(mated + non_mated)
    )


def trade_off(tally: Tally) -> Chart | None:
    """The DET curve; None without comparisons of both kinds."""
    points = [point for point in targets.det(tally) if point.fmr > 0.0]
    if not points:
        return None
    step = -(-len(points) // MOST_POINTS)
    shown = points[::step] if points[-1] in points[::step] else [*points[::step], points[-1]]
    return charts.lines(
        Line(gettext("This gallery"), [(100 * point.fmr, 100 * point.fnmr) for point in reversed(shown)], charts.FIRST),
        x=Axis(gettext("FMR in %"), is_logarithmic=True),
        y=Axis(gettext("FNMR in %"), least=0.0),
        summary=gettext(
            "A line that falls: the more comparisons of two people are let through, the fewer of one person are "
            "missed. The table below has the numbers."
        ),
    )


def trade_off_rows(tally: Tally) -> tuple[DetRow, ...]:
    """The same in numbers, at round false match rates that the comparisons can tell."""
    non_mated = int(tally.non_mated.sum())
    told = [target for target in targets.verification(tally, SHOWN_FMRS) if target.wanted * non_mated >= 1.0]
    return tuple(_det_row(target) for target in told if target.threshold is not None)


def file(name: str, tally: Tally) -> HttpResponse:
    """One of `FILES`, complete."""
    header: tuple[str, ...] = _TARGET_HEADER
    rows: Iterable[tuple[object, ...]]
    match name:
        case "similarities":
            header, rows = ("similarity_from", "mated", "non_mated"), _similarity_lines(tally)
        case "det":
            points = targets.det(tally)
            header, rows = ("threshold", "fmr", "fnmr"), [(each.threshold, each.fmr, each.fnmr) for each in points]
        case "claims":
            rows = _target_lines(targets.verification(tally))
        case _:
            rows = _target_lines(targets.identification(tally))
    return csv_files.response(f"faceweb-{name}", header, rows)


_TARGET_HEADER = ("wanted", "threshold", "wrong", "of", "low", "high", "missed", "of_owners", "is_supported")


def _target_lines(found: Sequence[Target]) -> Iterator[tuple[object, ...]]:
    for each in found:
        wrong, missed, sure = each.wrong, each.missed, each.wrong.interval
        yield (
            *(each.wanted, each.threshold, wrong.errors, wrong.trials),
            *((sure.low, sure.high) if sure else (None, None)),
            *(missed.errors, missed.trials, int(each.is_supported)),
        )


def _similarity_lines(tally: Tally) -> Iterator[tuple[object, ...]]:
    for edge in np.flatnonzero(tally.mated + tally.non_mated):
        yield float(EDGES[edge]), int(tally.mated[edge]), int(tally.non_mated[edge])


def _det_row(target: Target) -> DetRow:
    fmr, fnmr = target.wrong.share, target.missed.share
    return DetRow(
        f"{target.threshold:.3f}",
        rates.percent(fmr) if fmr is not None else "",
        rates.percent(fnmr) if fnmr is not None else "",
    )


def _steps(counts: Counts) -> Counts:
    padded = np.append(counts, np.zeros(-len(counts) % WIDTH, np.int64))
    return np.asarray(padded.reshape(-1, WIDTH).sum(axis=1), np.int64)


def _shares(counts: Counts) -> NDArray[np.float64]:
    steps = _steps(counts)
    return np.asarray(100.0 * steps / max(1, int(steps.sum())), np.float64)
