"""The plots of an evaluation report, as SVG; the only importer of matplotlib, which comes with the extra `report`."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recognition.evaluation.gallery_scores import EDGES, Counts, Tally
from recognition.evaluation.reports import Curve

SIZE_INCHES = (7.0, 4.2)

WIDTH = 20
"""Bins of a thousandth that are drawn as one: steps of 0.02."""

COLOURS = ("#0b63a5", "#b3530b")
"""Of the first and the second report: told apart by people who see red and green alike."""

MOST_POINTS = 400
"""Points of a curve that are drawn: more than a screen shows."""


def trade_off(curves: Sequence[tuple[str, Curve]]) -> bytes:
    """Detection error trade-offs in one plot, both axes logarithmic.

    Args:
        curves: each with what to call it and a point above zero; all of comparisons, or all of searches.

    Returns:
        An SVG file.
    """
    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    axes: Axes = figure.add_subplot()
    for (name, curve), colour in zip(curves, COLOURS, strict=False):
        points = curve.above_zero()
        step = math.ceil(len(points) / MOST_POINTS)
        shown = [*points[::step], *points[-1:]]
        axes.plot([x for x, _ in shown], [y for _, y in shown], color=colour, label=name)
    is_search = any(curve.is_search for _, curve in curves)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="FPIR: strangers who are named" if is_search else "FMR: pairs of two people that match",
        ylabel="FNIR: people who are missed" if is_search else "FNMR: pairs of one person that do not",
    )
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    return _svg(figure)


def similarities(tally: Tally, threshold: float | None) -> bytes:
    """How similar pairs of one person and pairs of two people are.

    Args:
        tally: what was counted.
        threshold: drawn as an upright line.

    Returns:
        An SVG file.
    """
    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    axes: Axes = figure.add_subplot()
    edges = np.append(EDGES[::WIDTH], EDGES[-1] + WIDTH / 1000)
    for label, counts, colour in (
        ("two people", tally.non_mated, COLOURS[1]),
        ("one person", tally.mated, COLOURS[0]),
    ):
        axes.stairs(_shares(counts), edges, fill=True, alpha=0.55, color=colour, label=label)
    if threshold is not None:
        axes.axvline(threshold, color="black", linestyle="--", label=f"threshold {threshold:.4f}")
    seen = np.flatnonzero(tally.mated + tally.non_mated)
    if len(seen):
        axes.set_xlim(EDGES[seen[0]] - 0.02, EDGES[seen[-1]] + 0.04)
    axes.set(xlabel="similarity (cosine)", ylabel="% of the pairs")
    axes.legend()
    return _svg(figure)


def _shares(counts: Counts) -> Counts:
    padded = np.append(counts, np.zeros(-len(counts) % WIDTH, np.int64))
    steps = padded.reshape(-1, WIDTH).sum(axis=1)
    return np.asarray(100 * steps / max(1, steps.sum()))


def _svg(figure: Figure) -> bytes:
    out = io.BytesIO()
    # Without the date, the same numbers give the same file.
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
