from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.evaluation import targets
from recognition.evaluation.gallery_scores import BINS, EDGES, Counts, Tally
from recognition.evaluation.intervals import Method
from recognition.evaluation.targets import Rate


def counts(**at: int) -> Counts:
    """So many similarities in thousandths: `counts(m500=3)` are three of 0.5."""
    found = np.zeros(BINS, np.int64)
    for name, number in at.items():
        found[int(np.searchsorted(EDGES, int(name[1:]) / 1000))] = number
    return found


def tally(**changes: object) -> Tally:
    return dataclasses.replace(Tally.nothing(), **changes)  # type: ignore[arg-type]


def test_nothing_counted_gives_no_threshold() -> None:
    for target in (*targets.verification(Tally.nothing()), *targets.identification(Tally.nothing())):
        assert target.threshold is None
        assert not target.is_supported
        assert (target.wrong.share, target.wrong.interval) == (None, None)
    assert targets.det(Tally.nothing()) == ()


def test_the_threshold_is_the_lowest_edge_that_keeps_the_rate() -> None:
    counted = tally(non_mated=counts(m100=9_970, m300=20, m400=10), mated=counts(m350=1, m800=9))
    at_thousandth, at_permille = targets.verification(counted, (0.003, 0.001))
    assert at_thousandth.threshold == 0.101
    assert (at_thousandth.wrong, at_thousandth.missed) == (Rate(30, 10_000), Rate(0, 10))
    assert at_thousandth.is_supported
    assert at_permille.threshold == 0.301
    assert (at_permille.wrong, at_permille.missed) == (Rate(10, 10_000), Rate(0, 10))
    assert not at_permille.is_supported
    assert at_permille.needed == 30_000


def test_a_rate_that_equal_vectors_exceed_has_no_threshold() -> None:
    counted = tally(non_mated=counts(m1000=5))
    (target,) = targets.verification(counted, (0.1,))
    assert target.threshold is None


def test_a_search_that_names_nobody_for_want_of_margin_counts_as_one() -> None:
    counted = tally(
        strangers_named=counts(m200=98),
        stranger_searches=1_000,
        owners_named=counts(m600=4),
        owner_searches=5,
    )
    (target,) = targets.identification(counted, (0.1,))
    assert target.threshold == -1.0
    assert (target.wrong, target.missed) == (Rate(98, 1_000), Rate(1, 5))
    assert target.is_supported


@pytest.mark.parametrize(("threshold", "wrong", "missed"), [(-1.0, 4, 0), (0.3, 4, 0), (0.3005, 1, 1), (0.401, 0, 2)])
def test_a_threshold_in_force_has_its_rates(threshold: float, wrong: int, missed: int) -> None:
    counted = tally(non_mated=counts(m300=3, m400=1), mated=counts(m300=1, m400=1))
    assert targets.verification_at(counted, threshold) == (Rate(wrong, 4), Rate(missed, 2))
    searched = tally(
        strangers_named=counts(m300=3, m400=1),
        stranger_searches=6,
        owners_named=counts(m300=1, m400=1),
        owner_searches=3,
    )
    assert targets.identification_at(searched, threshold) == (Rate(wrong, 6), Rate(missed + 1, 3))


def test_the_trade_off_has_a_point_where_a_rate_changes() -> None:
    counted = tally(non_mated=counts(m100=3, m300=1), mated=counts(m300=1, m800=1))
    points = [(point.threshold, point.fmr, point.fnmr) for point in targets.det(counted)]
    assert points == [(0.1, 1.0, 0.0), (0.3, 0.25, 0.0), (0.8, 0.0, 0.5), (1.0, 0.0, 1.0)]


def test_a_rate_says_how_sure_it_is() -> None:
    found = Rate(0, 30).interval
    assert found is not None
    assert (found.high, found.method) == (0.1, Method.RULE_OF_THREE)


@pytest.mark.parametrize(
    ("fmr", "size", "fpir"), [(1e-5, 0, 0.0), (1e-5, 500, 0.00499), (1e-5, 1_000, 0.00995), (1e-4, 10_000, 0.6321)]
)
def test_the_rate_of_a_search_grows_with_the_gallery(fmr: float, size: int, fpir: float) -> None:
    assert targets.expected_fpir(fmr, size) == pytest.approx(fpir, rel=1e-3)


@given(st.floats(1e-7, 0.5), st.floats(1e-4, 0.5))
def test_a_gallery_of_that_size_keeps_the_rate_and_a_larger_one_does_not(fmr: float, fpir: float) -> None:
    size = targets.comparisons_for(fmr, fpir)
    assert targets.expected_fpir(fmr, size) <= fpir * (1 + 1e-9)
    assert targets.expected_fpir(fmr, size + 2) > fpir


@pytest.mark.parametrize(("fmr", "fpir"), [(0.0, 0.1), (1.0, 0.1), (0.1, 1.0), (0.1, -0.1)])
def test_a_size_for_no_rate_is_refused(fmr: float, fpir: float) -> None:
    with pytest.raises(ValueError, match="expected rates below 1"):
        targets.comparisons_for(fmr, fpir)
