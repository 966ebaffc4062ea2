from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.evaluation import error_rates
from recognition.evaluation.error_rates import NoScores
from recognition.vision.errors import InvalidArray

scores = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=60)


def array(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def test_no_pairs_have_no_rate() -> None:
    empty = array()
    for rate in (error_rates.fmr, error_rates.tmr, error_rates.fnmr):
        with pytest.raises(NoScores, match="expected at least one pair"):
            rate(empty, 0.5)
    with pytest.raises(NoScores):
        error_rates.threshold_at_fmr(empty, 0.1)
    with pytest.raises(NoScores):
        error_rates.det_curve(array(0.5), empty)


def test_a_list_of_lists_is_refused() -> None:
    with pytest.raises(InvalidArray, match="non_mated: expected"):
        error_rates.fmr(np.zeros((2, 2), np.float32), 0.5)


def test_a_similarity_at_the_threshold_matches() -> None:
    assert error_rates.fmr(array(0.1, 0.5, 0.6), 0.5) == pytest.approx(2 / 3)
    assert error_rates.tmr(array(0.1, 0.5, 0.6, 0.7), 0.5) == 0.75
    assert error_rates.fnmr(array(0.1, 0.5, 0.6, 0.7), 0.5) == 0.25


@pytest.mark.parametrize(
    ("pairs", "fmr", "allowed"),
    [
        (0, 0.5, 0),
        (100, 0.0, 0),
        (100, 1.0, 100),
        (100, 0.29, 29),  # 28.999999999999996 in binary fractions
        (12_454_344, 1e-5, 124),
        (99_999, 1e-5, 0),
        (100_000, 1e-5, 1),
    ],
)
def test_as_many_false_matches_are_allowed_as_the_rate_says(pairs: int, fmr: float, allowed: int) -> None:
    assert error_rates.allowed_matches(pairs, fmr) == allowed


@pytest.mark.parametrize("fmr", [-0.1, 1.1, float("nan")])
def test_a_rate_outside_0_to_1_is_refused(fmr: float) -> None:
    with pytest.raises(ValueError, match=r"expected 0\.\.1"):
        error_rates.allowed_matches(10, fmr)


def test_the_threshold_lies_right_above_the_first_score_that_may_not_match() -> None:
    non_mated = array(0.4, 0.1, 0.3, 0.2)
    assert error_rates.threshold_at_fmr(non_mated, 0.0) == np.nextafter(np.float32(0.4), np.float32(1))
    assert error_rates.threshold_at_fmr(non_mated, 0.25) == np.nextafter(np.float32(0.3), np.float32(1))
    assert error_rates.threshold_at_fmr(non_mated, 1.0) == np.float32(0.1)


def test_equal_scores_match_together_or_not_at_all() -> None:
    threshold = error_rates.threshold_at_fmr(array(0.5, 0.5, 0.5, 0.1), 0.5)
    assert error_rates.fmr(array(0.5, 0.5, 0.5, 0.1), threshold) == 0.0


@given(scores, st.floats(0, 1))
def test_the_threshold_is_the_smallest_that_keeps_the_rate(values: list[float], fmr: float) -> None:
    non_mated = array(*values)
    threshold = error_rates.threshold_at_fmr(non_mated, fmr)
    allowed = error_rates.allowed_matches(len(values), fmr)
    assert np.count_nonzero(non_mated >= threshold) <= allowed
    below = float(np.nextafter(np.float32(threshold), np.float32(-np.inf)))
    assert allowed == len(values) or np.count_nonzero(non_mated >= below) > allowed


def test_thirty_false_matches_support_a_rate() -> None:
    assert error_rates.is_supported(3_000_000, 1e-5)
    assert not error_rates.is_supported(2_999_999, 1e-5)


def test_the_det_curve_begins_with_all_matching_and_ends_with_none() -> None:
    curve = error_rates.det_curve(array(0.6, 0.9), array(0.1, 0.6))
    assert curve.thresholds[:3] == pytest.approx([0.1, 0.6, 0.9])
    assert curve.fmr.tolist() == [1.0, 0.5, 0.0, 0.0]
    assert curve.fnmr.tolist() == [0.0, 0.0, 0.5, 1.0]


@given(scores, scores)
def test_along_the_det_curve_one_error_falls_and_the_other_rises(mated: list[float], non_mated: list[float]) -> None:
    curve = error_rates.det_curve(array(*mated), array(*non_mated))
    assert (np.diff(curve.fmr) <= 0).all()
    assert (np.diff(curve.fnmr) >= 0).all()
    for threshold, fmr, fnmr in zip(curve.thresholds, curve.fmr, curve.fnmr, strict=True):
        assert error_rates.fmr(array(*non_mated), threshold) == pytest.approx(fmr)
        assert error_rates.fnmr(array(*mated), threshold) == pytest.approx(fnmr)


def test_scores_that_do_not_overlap_have_no_equal_error() -> None:
    assert error_rates.equal_error_rate(array(0.8, 0.9), array(0.1, 0.2)).rate == 0.0


def test_the_equal_error_rate_is_where_both_errors_meet() -> None:
    mated, non_mated = array(0.3, 0.7, 0.8, 0.9), array(0.1, 0.2, 0.3, 0.75)
    meeting = error_rates.equal_error_rate(mated, non_mated)
    assert meeting.rate == 0.25
    assert error_rates.fmr(non_mated, meeting.threshold) == error_rates.fnmr(mated, meeting.threshold) == 0.25
