from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.decision import verdict
from recognition.decision.matching import CandidateList
from recognition.decision.policy import Policy
from recognition.decision.verdict import Decision
from tests import fakes

POLICY = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4, margin=0.125)
BELOW = math.nextafter(0.5, 0)

ACCEPT, NO_MATCH, AMBIGUOUS = Decision.ACCEPT, Decision.REJECT_NO_MATCH, Decision.REJECT_AMBIGUOUS


@pytest.mark.parametrize(
    ("people", "decision"),
    [
        (fakes.candidates(), NO_MATCH),  # nobody is enrolled
        (fakes.candidates(0.5), ACCEPT),  # exactly the threshold
        (fakes.candidates(BELOW), NO_MATCH),
        (fakes.candidates(-1.0), NO_MATCH),
        (fakes.candidates(0.75, 0.625), ACCEPT),  # exactly the margin
        (fakes.candidates(0.75, 0.6251), AMBIGUOUS),
        (fakes.candidates(0.75, 0.75), AMBIGUOUS),  # a tie
        (fakes.candidates(0.5, 0.45), AMBIGUOUS),  # the next person counts though below the threshold
        (fakes.candidates(BELOW, BELOW), NO_MATCH),  # too far comes before too close to each other
        (fakes.candidates(0.9, 0.1, 0.09), ACCEPT),
        (fakes.candidates(math.nan), NO_MATCH),
        (fakes.candidates(math.nan, 0.9), NO_MATCH),
        (fakes.candidates(0.9, math.nan), AMBIGUOUS),  # an unknown gap is not enough of one
    ],
)
def test_a_search_is_judged_by_threshold_and_margin(people: CandidateList, decision: Decision) -> None:
    vote = verdict.judge(people, POLICY)
    assert vote.decision is decision
    assert (vote.best, vote.runner_up) == (people.best, people.runner_up)


@given(st.lists(st.floats(-1, 1) | st.just(math.nan), max_size=4), st.floats(-1, 1), st.floats(0, 2))
def test_nobody_is_named_below_the_threshold_or_within_the_margin(
    similarities: list[float], threshold: float, margin: float
) -> None:
    policy = Policy(version=1, identification_threshold=threshold, verification_threshold=0.4, margin=margin)
    vote = verdict.judge(fakes.candidates(*similarities), policy)
    if vote.decision is ACCEPT:
        assert vote.best is not None
        assert vote.best.similarity >= threshold
        assert vote.margin is None or vote.margin >= margin


@pytest.mark.parametrize(
    ("similarity", "decision"),
    [(math.nan, NO_MATCH), (-1.0, NO_MATCH), (math.nextafter(0.4, 0), NO_MATCH), (0.4, ACCEPT), (1.0, ACCEPT)],
)
def test_a_claim_is_confirmed_from_the_verification_threshold(similarity: float, decision: Decision) -> None:
    assert verdict.judge_claim(similarity, POLICY) is decision


def test_two_votes_for_the_same_person_agree_whatever_their_similarity() -> None:
    one, other = (verdict.judge(fakes.candidates(similarity), POLICY) for similarity in (0.6, 0.9))
    assert one.answer == other.answer == (ACCEPT, 1)


def test_votes_for_two_people_do_not_agree() -> None:
    one, other = (verdict.judge(fakes.candidates(0.9, first_person=number), POLICY) for number in (1, 2))
    assert one.answer != other.answer


def test_two_unknowns_agree_whoever_is_nearest() -> None:
    one, other = (verdict.judge(fakes.candidates(0.1, first_person=number), POLICY) for number in (1, 2))
    assert one.answer == other.answer == (NO_MATCH, None)
