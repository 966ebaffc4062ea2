from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.evaluation import intervals, measured_rates
from recognition.evaluation.intervals import Method
from recognition.evaluation.measured_rates import Acquisition, Judged, Measured, RateName

RIGHT = Judged(is_claim=True, is_mated=True, matched=True, accepted=True, rightly_refused=False, stratum=1, weight=1.0)
MISSED = dataclasses.replace(RIGHT, matched=False, accepted=False)
FALSE = dataclasses.replace(RIGHT, is_mated=False)
REPELLED = dataclasses.replace(MISSED, is_mated=False)
UNTOLD = dataclasses.replace(RIGHT, is_mated=None)


def rates(*judged: Judged, acquisition: Acquisition | None = None, group: str | None = None) -> dict[str, Measured]:
    return {rate.name: rate for rate in measured_rates.measure(judged, acquisition, group=group)}


def test_of_nothing_there_is_no_rate() -> None:
    for found in (rates(), rates(UNTOLD, acquisition=Acquisition(0, 0, 0))):
        assert all((rate.share, rate.interval, rate.trials) == (None, None, 0) for rate in found.values())
    assert list(rates(acquisition=Acquisition(0, 0, 0))) == list(RateName)
    assert RateName.FTA not in rates()


@pytest.mark.parametrize(("failures", "decided"), [(3, 0), (0, 3), (1, 2), (-1, 2), (2, -1)])
def test_more_than_all_transactions_are_refused(failures: int, decided: int) -> None:
    with pytest.raises(ValueError, match=r"expected 0\.\.2 together"):
        Acquisition(failures, decided, 2)


@pytest.mark.parametrize(
    ("is_claim", "wrong", "missed"), [(True, RateName.FMR, RateName.FNMR), (False, RateName.FPIR, RateName.FNIR)]
)
def test_claims_and_searches_have_rates_of_their_own(is_claim: bool, wrong: RateName, missed: RateName) -> None:
    of_kind = [dataclasses.replace(each, is_claim=is_claim) for each in (RIGHT, RIGHT, RIGHT, MISSED, FALSE, REPELLED)]
    found = rates(*of_kind)
    assert (found[missed].errors, found[missed].trials, found[missed].share) == (1, 4, 0.25)
    assert (found[wrong].errors, found[wrong].trials, found[wrong].share) == (1, 2, 0.5)
    others = {RateName.FMR, RateName.FNMR, RateName.FPIR, RateName.FNIR} - {wrong, missed}
    assert all(found[other].trials == 0 for other in others)
    assert (found[RateName.FAR].share, found[RateName.FRR].share) == (0.5, 0.25)


def test_who_was_recognised_and_rightly_refused_is_no_false_rejection() -> None:
    barred = dataclasses.replace(RIGHT, accepted=False, rightly_refused=True)
    found = rates(RIGHT, barred)
    assert (found[RateName.FRR].errors, found[RateName.FRR].trials) == (0, 1)
    assert found[RateName.FNMR].trials == 2


def test_a_false_match_that_was_refused_is_no_false_acceptance() -> None:
    found = rates(dataclasses.replace(FALSE, accepted=False))
    assert (found[RateName.FMR].errors, found[RateName.FAR].errors, found[RateName.FAR].trials) == (1, 0, 1)


def test_a_transaction_without_a_comparison_accepts_nobody() -> None:
    # By hand: of 10 % nothing is acquired; FAR 0.9 * 1/2, FRR 0.1 + 0.9 * 1/4.
    found = rates(RIGHT, RIGHT, RIGHT, MISSED, FALSE, REPELLED, acquisition=Acquisition(10, 90, 100))
    assert found[RateName.FAR].share == pytest.approx(0.45)
    assert found[RateName.FRR].share == pytest.approx(0.325)
    assert found[RateName.FNMR].share == 0.25
    plain = intervals.simple(1, 4)
    interval = found[RateName.FRR].interval
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((0.1 + 0.9 * plain.low, 0.1 + 0.9 * plain.high))
    fta = found[RateName.FTA]
    assert (fta.errors, fta.trials, fta.share, fta.interval) == (10, 100, 0.1, intervals.simple(10, 100))


def test_whose_votes_disagreed_is_accepted_by_nobody() -> None:
    # By hand: of 100, 10 are not acquired and 20 disagree until their time is over, so d = 0.7:
    # FAR 0.7 * 1/2, FRR 0.3 + 0.7 * 1/4; FTA knows only the 10.
    found = rates(RIGHT, RIGHT, RIGHT, MISSED, FALSE, REPELLED, acquisition=Acquisition(10, 70, 100))
    assert found[RateName.FAR].share == pytest.approx(0.35)
    assert found[RateName.FRR].share == pytest.approx(0.475)
    assert found[RateName.FTA].share == 0.1
    plain = intervals.simple(1, 4)
    interval = found[RateName.FRR].interval
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((0.3 + 0.7 * plain.low, 0.3 + 0.7 * plain.high))


def test_a_weighted_draw_is_weighted() -> None:
    # By hand: 20 of 200 that stand for 10 each with 2 errors, and 10 of 10 with 5: 25 / 210.
    common = [dataclasses.replace(RIGHT, weight=10.0)] * 18 + [dataclasses.replace(MISSED, weight=10.0)] * 2
    near = [dataclasses.replace(RIGHT, stratum=2)] * 5 + [dataclasses.replace(MISSED, stratum=2)] * 5
    found = rates(*common, *near)[RateName.FNMR]
    assert (found.errors, found.trials) == (7, 30)
    assert found.share == pytest.approx(25 / 210)
    assert found.interval is not None
    assert found.interval.method is Method.KORN_GRAUBARD
    assert found.interval.low < 25 / 210 < found.interval.high


def test_without_an_error_the_rule_of_three_says_how_many_may_be_hidden() -> None:
    found = rates(*[RIGHT] * 30)[RateName.FNMR]
    assert (found.share, found.interval) == (0.0, intervals.simple(0, 30))
    assert found.interval is not None
    assert (found.interval.high, found.interval.method) == (0.1, Method.RULE_OF_THREE)


def test_groups_are_parts_of_one_draw() -> None:
    door, gate = dataclasses.replace(RIGHT, group="door"), dataclasses.replace(MISSED, group="gate")
    assert rates(door, door, gate, group="door")[RateName.FNMR].trials == 2
    assert rates(door, door, gate, group="gate")[RateName.FNMR].share == 1.0
    assert rates(door, door, gate)[RateName.FNMR].trials == 3


judged = st.builds(
    Judged,
    is_claim=st.booleans(),
    is_mated=st.sampled_from([True, False, None]),
    matched=st.booleans(),
    accepted=st.booleans(),
    rightly_refused=st.booleans(),
    stratum=st.integers(1, 3),
    weight=st.floats(0.5, 50),
    group=st.sampled_from("ab"),
)


@given(st.lists(judged, max_size=30), st.integers(0, 5), st.integers(0, 5))
def test_every_rate_lies_in_its_interval_and_groups_add_up(found: list[Judged], failures: int, decided: int) -> None:
    acquisition = Acquisition(failures, decided, 10)
    whole = rates(*found, acquisition=acquisition)
    parts = [rates(*found, acquisition=acquisition, group=group) for group in "ab"]
    for name, rate in whole.items():
        if name is not RateName.FTA:
            assert rate.errors == sum(part[name].errors for part in parts)
            assert rate.trials == sum(part[name].trials for part in parts)
        if rate.share is not None and rate.interval is not None:
            assert rate.interval.low - 1e-9 <= rate.share <= rate.interval.high + 1e-9


def test_deciles_of_nothing() -> None:
    assert measured_rates.deciles([]) == ()
    with pytest.raises(ValueError, match="expected deciles"):
        measured_rates.decile(5, ())


def test_a_decile_begins_at_its_lowest_score() -> None:
    lowest = measured_rates.deciles(list(range(1, 101)))
    assert lowest == (1, 11, 21, 31, 41, 51, 61, 71, 81, 91)
    assert [measured_rates.decile(score, lowest) for score in (0, 1, 10, 11, 90, 91, 100)] == [1, 1, 1, 2, 9, 10, 10]


@given(st.lists(st.integers(0, 100), min_size=1, max_size=50))
def test_every_score_has_a_decile(scores: list[int]) -> None:
    lowest = measured_rates.deciles(scores)
    found = [measured_rates.decile(score, lowest) for score in sorted(scores)]
    assert found == sorted(found)
    assert set(found) <= set(range(1, 11))
