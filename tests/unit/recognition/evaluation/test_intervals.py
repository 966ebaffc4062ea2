from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recognition.evaluation import intervals
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.intervals import Interval, Method, StratifiedSample


def sample(*rows: tuple[int, float, bool, bool]) -> StratifiedSample:
    """Rows of stratum, weight, whether it counts, whether it is an error."""
    strata, weights, counted, errors = zip(*rows, strict=True) if rows else ((), (), (), ())
    return StratifiedSample(
        np.array(strata, np.int64), np.array(weights, np.float64), np.array(counted, bool), np.array(errors, bool)
    )


def test_nothing_counted_has_no_interval() -> None:
    with pytest.raises(NoScores, match="at least one trial"):
        intervals.simple(0, 0)
    for empty in (sample(), sample((1, 2.0, False, True))):
        with pytest.raises(NoScores):
            intervals.stratified(empty)


@pytest.mark.parametrize("errors", [-1, 6])
def test_errors_are_counted_among_the_trials(errors: int) -> None:
    with pytest.raises(ValueError, match=r"errors: expected 0\.\.5"):
        intervals.simple(errors, 5)


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_a_weight_is_a_number_above_0(weight: float) -> None:
    with pytest.raises(ValueError, match="weights: expected"):
        sample((1, weight, True, False))


def test_an_interval_lies_within_0_and_1() -> None:
    with pytest.raises(ValueError, match="0 <= low <= high <= 1"):
        Interval(0.5, 0.4, Method.CLOPPER_PEARSON)


@pytest.mark.parametrize(
    ("errors", "trials", "low", "high"),
    [
        # Published: Clopper and Pearson (1934) for 10, Newcombe, Statistics in Medicine 17 (1998) for the rest.
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (10, 10, 0.6915, 1.0),
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_a_simple_sample_has_the_interval_of_clopper_and_pearson(
    errors: int, trials: int, low: float, high: float
) -> None:
    found = intervals.simple(errors, trials)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.method is Method.CLOPPER_PEARSON


@given(trials=st.integers(1, 2000), data=st.data())
def test_clopper_and_pearson_are_those_of_scipy(trials: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(1, trials))
    expected = stats.binomtest(errors, trials).proportion_ci(intervals.CONFIDENCE, "exact")
    found = intervals.simple(errors, trials)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("trials", "high"), [(1, 1.0), (3, 1.0), (30, 0.1), (3000, 0.001)])
def test_without_an_error_three_may_be_hidden(trials: int, high: float) -> None:
    assert intervals.simple(0, trials) == Interval(0.0, high, Method.RULE_OF_THREE)


@given(trials=st.integers(3, 10**6))
def test_the_rule_of_three_is_the_exact_bound_rounded_up(trials: int) -> None:
    exact = 1.0 - 0.05 ** (1.0 / trials)
    assert exact <= intervals.simple(0, trials).high <= exact * 1.62


def test_equal_weights_are_a_simple_sample() -> None:
    rows = [(1, 4.0, True, error) for error in (True, False, False, False, False)]
    assert intervals.stratified(sample(*rows, (2, 9.0, False, False))) == intervals.simple(1, 5)


def two_strata() -> StratifiedSample:
    """Of a whole of 500: 10 of 400 with 1 error, and 10 of 100 with 4."""
    common = [(1, 40.0, True, number < 1) for number in range(10)]
    rare = [(2, 10.0, True, number < 4) for number in range(10)]
    return sample(*common, *rare)


def test_a_share_is_the_weighted_mean_of_its_strata() -> None:
    # 0.8 * 1/10 + 0.2 * 4/10
    assert two_strata().share == pytest.approx(0.16)


def test_the_design_variance_is_that_of_the_strata() -> None:
    # By hand: 0.8^2 * (0.1 * 0.9) / 9 + 0.2^2 * (0.4 * 0.6) / 9
    assert two_strata().design_variance == pytest.approx(0.64 * 0.01 + 0.04 * 0.24 / 9)


def test_a_weighted_sample_has_the_interval_of_korn_and_graubard() -> None:
    # By hand: 20 units less 2 strata are 18 degrees of freedom; n* = 0.16 * 0.84 / 0.0074667 = 18.0, times
    # (t(0.025; 19) / t(0.025; 18))^2 = (2.0930 / 2.1009)^2 = 0.99248: 17.8647; x = 2.8583.
    variance = 0.64 * 0.01 + 0.04 * 0.24 / 9
    size = 0.16 * 0.84 / variance * (2.093024 / 2.100922) ** 2
    expected = stats.beta.ppf(0.025, size * 0.16, size * 0.84 + 1), stats.beta.ppf(0.975, size * 0.16 + 1, size * 0.84)
    found = intervals.stratified(two_strata())
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-5)
    assert (round(found.low, 3), round(found.high, 3)) == (0.032, 0.408)
    assert found.method is Method.KORN_GRAUBARD


def test_unequal_weights_without_an_error_count_for_fewer_trials() -> None:
    # By Kish: the square of 10 + 30 by 10 + 90 is 16.
    rows = [(1, 1.0, True, False)] * 10 + [(2, 3.0, True, False)] * 10
    assert intervals.stratified(sample(*rows)) == Interval(0.0, 3 / 16, Method.RULE_OF_THREE)


def test_a_stratum_of_one_makes_nothing_surer() -> None:
    alone = sample(*[(1, 10.0, True, number < 2) for number in range(8)], (2, 30.0, True, True))
    found = intervals.stratified(alone)
    assert found.low < alone.share < found.high
    assert found.high - found.low > 0.5


def test_only_errors_have_an_interval_up_to_1() -> None:
    found = intervals.stratified(sample(*[(number % 2, 1.0 + number % 2, True, True) for number in range(20)]))
    assert found.high == 1.0
    assert 0.7 < found.low < 0.9


units = st.tuples(st.integers(1, 3), st.floats(0.1, 100), st.booleans(), st.booleans())


@given(st.lists(units, min_size=1, max_size=40))
def test_an_interval_covers_its_share(rows: list[tuple[int, float, bool, bool]]) -> None:
    drawn = sample(*rows)
    if drawn.counted == 0:
        return
    found = intervals.stratified(drawn)
    assert found.low <= drawn.share + 1e-9
    assert found.high >= drawn.share - 1e-9


def test_the_weighted_interval_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    strata = np.repeat([1, 2], [60, 40]).astype(np.int64)
    weights = np.repeat([15.0, 2.5], [60, 40])
    truth = (900 * 0.05 + 100 * 0.4) / 1000
    covered = 0
    for _ in range(400):
        errors = generator.random(100) < np.where(strata == 1, 0.05, 0.4)
        drawn = StratifiedSample(strata, weights, np.ones(100, bool), errors)
        found = intervals.stratified(drawn)
        covered += found.low <= truth <= found.high
    assert covered / 400 >= 0.94
