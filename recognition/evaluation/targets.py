"""Thresholds for the error rates that a site wants, from what was counted on its own gallery.

A rate that rests on few errors says little: each row knows how many comparisons or searches stand behind it, and
whether they are enough.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from recognition.evaluation import error_rates, intervals
from recognition.evaluation.error_rates import LEAST_FALSE_MATCHES
from recognition.evaluation.gallery_scores import EDGES, Counts, Tally, at_or_above
from recognition.evaluation.intervals import Interval

FMRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""False match rates that thresholds are told for."""

FPIRS = (0.05, 0.02, 0.01, 0.005, 0.001)
"""False positive identification rates that thresholds are told for."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rate:
    """A counted rate.

    Args:
        errors: how many went wrong.
        trials: of how many.
    """

    errors: int
    trials: int

    @property
    def share(self) -> float | None:
        """0..1; None of nothing."""
        return self.errors / self.trials if self.trials else None

    @property
    def interval(self) -> Interval | None:
        """How sure it is; None of nothing."""
        return intervals.simple(self.errors, self.trials) if self.trials else None


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """The threshold for one wanted rate.

    Args:
        wanted: the rate, 0..1.
        threshold: the lowest edge of a bin at which the rate is not exceeded; None where there is nothing to count,
            or where equal vectors alone exceed it.
        wrong: what was counted there: non-mated comparisons that match, or strangers who are named.
        missed: what is lost there: mated comparisons that do not match, or enrolled people who are not named.
        needed: trials that the wanted rate takes to rest on `LEAST_FALSE_MATCHES` errors.
    """

    wanted: float
    threshold: float | None
    wrong: Rate
    missed: Rate
    needed: int

    @property
    def is_supported(self) -> bool:
        """Whether there are so many."""
        return self.threshold is not None and error_rates.is_supported(self.wrong.trials, self.wanted)


@dataclasses.dataclass(frozen=True, slots=True)
class DetPoint:
    """Both error rates of comparisons at one threshold.

    Args:
        threshold: similarity from which a comparison matches.
        fmr: non-mated comparisons that match, 0..1.
        fnmr: mated comparisons that do not, 0..1.
    """

    threshold: float
    fmr: float
    fnmr: float


def verification(tally: Tally, fmrs: Sequence[float] = FMRS) -> tuple[Target, ...]:
    """Thresholds of claims, for false match rates."""
    return tuple(_target(fmr, tally.non_mated, tally.mated, int(tally.mated.sum())) for fmr in fmrs)


def identification(tally: Tally, fpirs: Sequence[float] = FPIRS) -> tuple[Target, ...]:
    """Thresholds of searches, for false positive identification rates in this very gallery.

    A stranger here is somebody enrolled whose own samples were left out; every sample is one search.
    """
    searches = tally.stranger_searches
    return tuple(
        _target(fpir, tally.strangers_named, tally.owners_named, tally.owner_searches, searches) for fpir in fpirs
    )


def verification_at(tally: Tally, threshold: float) -> tuple[Rate, Rate]:
    """FMR and FNMR of a threshold in force, exact at a thousandth; between two the stricter one's."""
    return _rates(tally.non_mated, tally.mated, threshold, int(tally.non_mated.sum()), int(tally.mated.sum()))


def identification_at(tally: Tally, threshold: float) -> tuple[Rate, Rate]:
    """FPIR and FNIR of a threshold in force, as `verification_at`."""
    trials = tally.stranger_searches, tally.owner_searches
    return _rates(tally.strangers_named, tally.owners_named, threshold, *trials)


def det(tally: Tally) -> tuple[DetPoint, ...]:
    """Both error rates at every edge where one of them changes; none without comparisons of both kinds."""
    non_mated, mated = int(tally.non_mated.sum()), int(tally.mated.sum())
    if not non_mated or not mated:
        return ()
    wrong, right = at_or_above(tally.non_mated), at_or_above(tally.mated)
    changes = np.flatnonzero(np.diff(wrong, append=-1) | np.diff(right, append=-1))
    return tuple(
        DetPoint(float(EDGES[edge]), int(wrong[edge]) / non_mated, 1.0 - int(right[edge]) / mated) for edge in changes
    )


def expected_fpir(fmr: float, comparisons: int) -> float:
    """How often a stranger is named by so many comparisons, were each a draw of its own.

    Args:
        fmr: false match rate of one comparison, 0..1.
        comparisons: of one search: with every sample that is searched.

    Source: ISO/IEC 19795-1, 1 - (1 - FMR)^N for open-set identification by N comparisons. Samples of one person
    resemble each other, so the rate of N samples lies somewhat below that.
    """
    return 1.0 - (1.0 - fmr) ** comparisons


def comparisons_for(fmr: float, fpir: float) -> int:
    """Up to how many comparisons of that false match rate keep the rate of a search: inverts `expected_fpir`.

    Args:
        fmr: false match rate of one comparison, above 0 and below 1.
        fpir: false positive identification rate that is not to be exceeded, 0..1, 1 left out.

    Raises:
        ValueError: for a rate outside that.
    """
    if not (0.0 < fmr < 1.0 and 0.0 <= fpir < 1.0):
        raise ValueError(f"comparisons_for: expected rates below 1 and an FMR above 0, got {fmr} and {fpir}")
    return int(math.log1p(-fpir) / math.log1p(-fmr))


def _target(
    wanted: float, wrong_counts: Counts, right_counts: Counts, owners: int, strangers: int | None = None
) -> Target:
    trials = int(wrong_counts.sum()) if strangers is None else strangers
    reaching = at_or_above(wrong_counts)
    fitting = np.flatnonzero(reaching <= error_rates.allowed_matches(trials, wanted))
    needed = math.ceil(round(LEAST_FALSE_MATCHES / wanted, 6))
    if not trials or len(fitting) == 0:
        return Target(wanted, None, Rate(trials, trials), Rate(owners, owners), needed)
    edge = int(fitting[0])
    hits = int(at_or_above(right_counts)[edge])
    return Target(wanted, float(EDGES[edge]), Rate(int(reaching[edge]), trials), Rate(owners - hits, owners), needed)


def _rates(wrong: Counts, right: Counts, threshold: float, strangers: int, owners: int) -> tuple[Rate, Rate]:
    edge = int(np.searchsorted(EDGES, threshold, side="left"))
    if edge >= len(EDGES):
        return Rate(0, strangers), Rate(owners, owners)
    hits = int(at_or_above(right)[edge])
    return Rate(int(at_or_above(wrong)[edge]), strangers), Rate(owners - hits, owners)
