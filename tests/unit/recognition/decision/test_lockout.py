from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.decision import lockout
from recognition.decision.lockout import Lockout
from recognition.decision.policy import LONGEST_DELAY_S, Policy
from recognition.decision.verdict import Decision, Reason, TransactionReason
from tests import fakes

NOW = fakes.NOW
POLICY = Policy(
    version=1,
    identification_threshold=0.5,
    verification_threshold=0.4,
    attempts_before_delay=3,
    first_delay_s=30,
    longest_delay_s=100,
    attempts_before_stop=7,
)


def seconds(count: float) -> dt.timedelta:
    return dt.timedelta(seconds=count)


def failed(times: int, policy: Policy = POLICY) -> Lockout:
    """Failures one after the other, each as soon as it may be; the last one at NOW."""
    state = Lockout()
    for _ in range(times):
        # Whatever delay is left has passed.
        state = Lockout(state.failures, None, state.is_stopped).after_failure(NOW, policy)
    return state


def test_nobody_is_locked_who_never_failed() -> None:
    assert Lockout().state_at(NOW) is None


@pytest.mark.parametrize(
    ("failures", "delay_s"),
    [(1, None), (2, None), (3, 30), (4, 60), (5, 100), (6, 100)],
)
def test_each_failure_from_the_limit_on_doubles_the_delay_up_to_the_longest(
    failures: int, delay_s: float | None
) -> None:
    until = None if delay_s is None else NOW + seconds(delay_s)
    assert failed(failures) == Lockout(failures, until)


@pytest.mark.parametrize("apart", [seconds(1), dt.timedelta(days=31), dt.timedelta(days=3650)])
def test_failures_do_not_age(apart: dt.timedelta) -> None:
    before_the_last = failed(POLICY.attempts_before_delay - 1)
    assert before_the_last.after_failure(NOW + apart, POLICY).state_at(NOW + apart) is TransactionReason.LOCKED_UNTIL


def test_a_delay_ends_at_its_very_moment() -> None:
    state = failed(3)
    assert state.state_at(NOW + seconds(30) - dt.timedelta.resolution) is TransactionReason.LOCKED_UNTIL
    assert state.state_at(NOW + seconds(30)) is None


def test_the_last_limit_stops_until_staff_lift_it() -> None:
    state = failed(7)
    assert state == Lockout(7, None, is_stopped=True)
    assert state.state_at(NOW + seconds(LONGEST_DELAY_S * 1000)) is TransactionReason.LOCKED_BY_STOP
    assert state.after_accept() == state  # a transaction at the same time does not undo a stop
    assert state.lifted() == Lockout()


def test_while_locked_nothing_counts() -> None:
    for state in (failed(3), failed(7)):
        assert state.after_failure(NOW + seconds(29), POLICY) == state


def test_an_accept_forgets_what_was_counted() -> None:
    assert failed(2).after_accept() == Lockout()


def test_a_stricter_policy_holds_from_the_next_failure_on() -> None:
    strict = Policy(1, 0.5, 0.4, attempts_before_delay=1, attempts_before_stop=2)
    assert failed(2).after_failure(NOW, strict).is_stopped


def test_the_largest_limits_do_not_overflow() -> None:
    policy = Policy(
        1,
        0.5,
        0.4,
        attempts_before_delay=1,
        first_delay_s=1e-3,
        longest_delay_s=LONGEST_DELAY_S,
        attempts_before_stop=10**6,
    )
    assert Lockout(5000).after_failure(NOW, policy).locked_until == NOW + seconds(LONGEST_DELAY_S)


@pytest.mark.parametrize("is_claim", [True, False])
@pytest.mark.parametrize("decision", list(Decision))
def test_only_a_claim_that_did_not_match_counts(decision: Decision, is_claim: bool) -> None:
    counts = is_claim and decision is Decision.REJECT_NO_MATCH
    assert lockout.counts_as_failure(decision, [Reason(TransactionReason.BELOW_THRESHOLD)], is_claim=is_claim) is counts


@pytest.mark.parametrize(
    ("codes", "counts"),
    [
        ([], True),
        ([TransactionReason.BELOW_THRESHOLD], True),
        ([TransactionReason.PIN_WRONG], True),
        ([TransactionReason.CLAIM_UNKNOWN], True),
        ([TransactionReason.NO_TEMPLATE], False),
        ([TransactionReason.PIN_NOT_SET], False),
        ([TransactionReason.NO_TEMPLATE, TransactionReason.PIN_NOT_SET], False),
        ([TransactionReason.NO_TEMPLATE, TransactionReason.PIN_WRONG], True),
        ([TransactionReason.BELOW_THRESHOLD, TransactionReason.PIN_NOT_SET], True),
        ([TransactionReason.BELOW_THRESHOLD, TransactionReason.PIN_WRONG], True),
        ([TransactionReason.NO_TEMPLATE, TransactionReason.LEFT], False),
    ],
)
def test_what_was_missing_counts_only_beside_something_wrong(codes: list[str], counts: bool) -> None:
    reasons = [Reason(code) for code in codes]
    assert lockout.counts_as_failure(Decision.REJECT_NO_MATCH, reasons, is_claim=True) is counts
    assert not lockout.counts_as_failure(Decision.REJECT_NO_MATCH, reasons, is_claim=False)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="failures: expected 0 or more, got -1"):
        Lockout(-1)
    with pytest.raises(ValueError, match="locked_until: expected a time with a time zone"):
        Lockout(5, NOW.replace(tzinfo=None))
    for state in (Lockout(), failed(7)):
        with pytest.raises(ValueError, match="now: expected a time with a time zone"):
            state.state_at(NOW.replace(tzinfo=None))


transactions = st.lists(
    st.tuples(st.sampled_from(list(Decision)), st.booleans(), st.floats(0, 200), st.integers(0, 20)), max_size=60
)


@given(transactions)
def test_in_any_order_only_failed_claims_lock_and_only_an_accept_or_staff_unlock(
    history: list[tuple[Decision, bool, float, int]],
) -> None:
    state, now, claims_failed = Lockout(), NOW, 0
    for wanted, is_claim, after_s, staff in history:
        now += seconds(after_s)
        before = state
        decision = wanted if state.state_at(now) is None else Decision.LOCKED_OUT
        if decision is Decision.ACCEPT and is_claim:
            state, claims_failed = state.after_accept(), 0
        elif lockout.counts_as_failure(decision, (), is_claim=is_claim):
            state, claims_failed = state.after_failure(now, POLICY), claims_failed + 1
        elif staff == 0:
            state, claims_failed = state.lifted(), 0
        else:
            assert state == before
        assert state.failures == claims_failed
        assert state.is_stopped is (claims_failed >= POLICY.attempts_before_stop)
        if claims_failed < POLICY.attempts_before_delay:
            assert state.state_at(now) is None
        # Read back from where it was stored, it goes on as it was: it survives a restart.
        state = Lockout(state.failures, state.locked_until, state.is_stopped)


@given(st.integers(0, 40), st.integers(0, 40))
def test_more_failures_never_lock_for_a_shorter_time(first: int, second: int) -> None:
    fewer, more = failed(min(first, second)), failed(max(first, second))
    assert fewer.failures <= more.failures
    assert (fewer.is_stopped, fewer.locked_until or NOW) <= (
        more.is_stopped,
        dt.datetime.max.replace(tzinfo=dt.UTC) if more.is_stopped else more.locked_until or NOW,
    )
