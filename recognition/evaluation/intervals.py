"""How sure a counted rate is: 95 % intervals of a share, for simple and for weighted random samples.

Two methods, and a rule for the case that both are poor at. Clopper-Pearson is exact for a simple random sample: it
never covers less than it says. Korn-Graubard is the same interval for a sample whose parts were drawn with different
chances, with the sample size that a simple one of the same precision would have. Where no error was found at all, the
rule of three says how many may be hidden.
"""

from __future__ import annotations

import dataclasses
import enum

import numpy as np
from numpy.typing import NDArray

from recognition.evaluation.error_rates import NoScores
from recognition.vision.types import require_array

CONFIDENCE = 0.95
"""How often an interval of this module covers the true share, at least."""

_TAIL = (1.0 - CONFIDENCE) / 2

RULE_OF_THREE = 3.0
"""-ln(1 - 0.95), rounded up: with 3 / n true errors a trial, a sample of n has none in 5 % of all cases.

Source: Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249 (1983); ISO/IEC 19795-1
takes it for error rates of biometrics.
"""


class Method(enum.StrEnum):
    """How an interval was made."""

    CLOPPER_PEARSON = "clopper_pearson"
    KORN_GRAUBARD = "korn_graubard"
    RULE_OF_THREE = "rule_of_three"


@dataclasses.dataclass(frozen=True, slots=True)
class Interval:
    """Between which shares the true one lies, with a confidence of 95 %.

    Args:
        low: 0..1.
        high: 0..1, not below `low`.
        method: how it was made.

    Raises:
        ValueError: when the two are no interval within 0..1.
    """

    low: float
    high: float
    method: Method

    def __post_init__(self) -> None:
        if not 0.0 <= self.low <= self.high <= 1.0:
            raise ValueError(f"interval: expected 0 <= low <= high <= 1, got {self.low} and {self.high}")


def simple(errors: int, trials: int) -> Interval:
    """The interval of a share that was counted in a simple random sample, or in everything there is.

    Args:
        errors: how many trials went wrong.
        trials: how many there were.

    Returns:
        Clopper-Pearson; by the rule of three without an error. For three trials and fewer without an error nothing
        is known: 0..1.

    Raises:
        NoScores: for no trials.
        ValueError: for more errors than trials, or a negative number of them.
    """
    if trials < 1:
        raise NoScores(f"simple: expected at least one trial, got {trials}")
    if not 0 <= errors <= trials:
        raise ValueError(f"errors: expected 0..{trials}, got {errors}")
    return _without_errors(trials) if errors == 0 else _beta(errors, trials, Method.CLOPPER_PEARSON)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class StratifiedSample:
    """What was drawn from several strata, each with its own chance of being drawn.

    A rate is a share of some of what was drawn, its domain: the accepted claims among all events, say. What lies
    outside belongs here nevertheless, because how many of a stratum fall into the domain is left to chance as well.

    Args:
        strata: (n,) int64, equal numbers for units of one stratum.
        weights: (n,) float64 above 0, how many units of the whole each one stands for.
        is_counted: (n,) bool, whether the unit belongs to the domain of the rate.
        is_error: (n,) bool, whether it counts as an error; only of those that are counted.

    Raises:
        InvalidArray: for arrays of another shape or type.
        ValueError: for a weight that is not above 0, or not a number.
    """

    strata: NDArray[np.int64]
    weights: NDArray[np.float64]
    is_counted: NDArray[np.bool_]
    is_error: NDArray[np.bool_]

    def __post_init__(self) -> None:
        require_array("strata", self.strata, shape=(None,), dtype=np.int64)
        count = len(self.strata)
        require_array("weights", self.weights, shape=(count,), dtype=np.float64)
        require_array("is_counted", self.is_counted, shape=(count,), dtype=np.bool_)
        require_array("is_error", self.is_error, shape=(count,), dtype=np.bool_)
        if not np.all((self.weights > 0) & np.isfinite(self.weights)):
            raise ValueError("weights: expected finite numbers above 0")

    @property
    def counted(self) -> int:
        """Units of the domain."""
        return int(self.is_counted.sum())

    @property
    def errors(self) -> int:
        """Errors among them."""
        return int((self.is_counted & self.is_error).sum())

    @property
    def share(self) -> float:
        """The estimated share of errors in the whole domain, 0..1: the weighted mean.

        Raises:
            NoScores: where nothing was counted.
        """
        weights = self._domain_weights()
        if not weights.any():
            raise NoScores("share: expected at least one unit that is counted")
        return float((weights * self.is_error).sum() / weights.sum())

    @property
    def is_simple(self) -> bool:
        """Whether every unit of the domain stands for as many others, so that no design needs to be looked at."""
        weights = self.weights[self.is_counted]
        return len(weights) == 0 or bool(np.all(weights == weights[0]))

    @property
    def design_variance(self) -> float:
        """Variance of `share` under the design, linearised: of the ratio of two totals, summed over the strata.

        A stratum with a single unit has no variance of its own; its distance from the mean of all stands for it, so
        that it never makes the rate look surer than it is.

        Source: Sarndal, Swensson and Wretman, "Model Assisted Survey Sampling" (1992), section 5.6, for drawing with
        replacement, which is never too small for a stratum that was drawn nearly whole.
        """
        weights = self._domain_weights()
        scores = weights * (self.is_error - self.share) / weights.sum()
        total = 0.0
        for stratum in np.unique(self.strata):
            inside = scores[self.strata == stratum]
            count = len(inside)
            # The scores sum to 0 over all strata, so the mean of all is 0.
            total += float(inside[0] ** 2) if count == 1 else count * float(np.var(inside, ddof=1))
        return total

    @property
    def degrees_of_freedom(self) -> int:
        """Units less strata, of those strata that have a unit in the domain; at least 1."""
        strata = np.unique(self.strata[self.is_counted])
        return max(1, int(np.isin(self.strata, strata).sum()) - len(strata))

    def _domain_weights(self) -> NDArray[np.float64]:
        return np.where(self.is_counted, self.weights, 0.0)


def stratified(sample: StratifiedSample) -> Interval:
    """The interval of a share that was estimated from a weighted sample.

    Args:
        sample: what was drawn.

    Returns:
        Korn-Graubard: the interval of Clopper-Pearson for the effective sample size; by the rule of three without an
        error. As `simple` for a domain whose units all weigh the same.

    Raises:
        NoScores: where nothing was counted.

    Source: Korn and Graubard, "Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data", Survey Methodology 24 (1998): n* = p (1 - p) / v for a design variance v, times the
    squared ratio of Student's t for n - 1 and for the design's degrees of freedom; not above n, as the NCHS Data
    Presentation Standards for Proportions (2017) have it.
    """
    if sample.is_simple:
        return simple(sample.errors, sample.counted)
    if sample.errors == 0:
        return _without_errors(_kish(sample))
    share, size = sample.share, _effective_size(sample)
    return _beta(size * share, size, Method.KORN_GRAUBARD)


def _effective_size(sample: StratifiedSample) -> float:
    share, variance, count = sample.share, sample.design_variance, sample.counted
    if variance <= 0.0 or share >= 1.0:
        return min(float(count), _kish(sample))
    spread = _t_quantile(max(1, count - 1)) / _t_quantile(sample.degrees_of_freedom)
    return float(min(count, share * (1.0 - share) / variance * spread**2))


def _kish(sample: StratifiedSample) -> float:
    """The size of a simple sample that the weights leave, where the errors tell no variance.

    Source: Kish, "Survey Sampling" (1965), section 11.7: the squared sum of the weights by the sum of their squares.
    """
    weights = sample.weights[sample.is_counted]
    return float(weights.sum() ** 2 / (weights**2).sum())


def _without_errors(size: float) -> Interval:
    return Interval(0.0, min(1.0, RULE_OF_THREE / size), Method.RULE_OF_THREE)


def _beta(errors: float, trials: float, method: Method) -> Interval:
    """Clopper and Pearson, "The use of confidence or fiducial limits", Biometrika 26 (1934), by quantiles of beta."""
    misses = trials - errors
    low = _beta_quantile(errors, misses + 1, _TAIL)
    return Interval(low, _beta_quantile(errors + 1, misses, 1.0 - _TAIL) if misses > 0 else 1.0, method)


# scipy is imported where it is used: it takes 0.3 s, which every process would wait for and few need.


def _beta_quantile(a: float, b: float, share: float) -> float:
    from scipy import special

    return float(special.betaincinv(a, b, share))


def _t_quantile(degrees_of_freedom: int) -> float:
    from scipy import special

    return float(special.stdtrit(degrees_of_freedom, _TAIL))
