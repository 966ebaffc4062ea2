from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.decision import verdict, voting
from recognition.decision.policy import Policy
from recognition.decision.standing import Bar
from recognition.decision.verdict import Decision, Vote
from recognition.decision.voting import VoteRecord
from tests import fakes

POLICY = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4)  # 3 of 5, margin 0.05

A = verdict.judge(fakes.candidates(0.7, 0.1, first_person=1), POLICY)
SURER_A = verdict.judge(fakes.candidates(0.99, 0.1, first_person=1), POLICY)
B = verdict.judge(fakes.candidates(0.8, 0.1, first_person=2), POLICY)
UNKNOWN = verdict.judge(fakes.candidates(0.2, 0.1), POLICY)
NEARER_UNKNOWN = verdict.judge(fakes.candidates(0.4, 0.1), POLICY)
AMBIGUOUS = verdict.judge(fakes.candidates(0.7, 0.69), POLICY)
NOBODY = verdict.judge(fakes.candidates(), POLICY)
NOT_A_NUMBER = verdict.judge(fakes.candidates(math.nan), POLICY)
BANNED = verdict.judge(fakes.candidates(0.7, 0.1, first_person=1, barred=Bar.DENY_LIST), POLICY)
OTHER_BANNED = verdict.judge(fakes.candidates(0.7, 0.1, first_person=2, barred=Bar.DENY_LIST), POLICY)
SURER_BANNED = verdict.judge(fakes.candidates(0.9, 0.1, first_person=3, barred=Bar.DENY_LIST), POLICY)
SUSPENDED = verdict.judge(fakes.candidates(0.7, 0.1, first_person=1, barred=Bar.SUSPENDED), POLICY)


@pytest.mark.parametrize(
    ("votes", "leading", "count"),
    [
        ([], None, 0),
        ([UNKNOWN], UNKNOWN, 1),
        ([NOBODY], NOBODY, 1),
        ([A, SURER_A, A], SURER_A, 3),  # the most similar vote stands for its answer
        ([UNKNOWN, NEARER_UNKNOWN, NOBODY], NEARER_UNKNOWN, 3),
        ([A, B], B, 1),  # a tie: the one voted for last
        ([B, A], A, 1),
        ([A, A, B, B], B, 2),
        ([A, A, B, B, A], A, 3),
        ([A, A, A, B, B, B, B], B, 4),  # only the last five count
        ([NOT_A_NUMBER, UNKNOWN, NOT_A_NUMBER], UNKNOWN, 3),  # what is not a number stands for nothing
    ],
)
def test_the_answer_of_most_of_the_last_votes_leads(votes: list[Vote], leading: Vote | None, count: int) -> None:
    assert voting.leading(votes, POLICY) == (leading, count)


@pytest.mark.parametrize(
    ("votes", "decision"),
    [
        ([], None),
        ([SURER_A, SURER_A], None),  # k - 1, however sure
        ([A, A, A], Decision.ACCEPT),  # k of fewer than n
        ([A, B, A, B], None),
        ([A, B, A, B, A], Decision.ACCEPT),  # exactly k of n
        ([A, A, B, B, UNKNOWN], None),  # nobody has k
        ([A, A, UNKNOWN, UNKNOWN, B, A], None),  # the oldest vote for A has left the window
        ([UNKNOWN, UNKNOWN, UNKNOWN], Decision.REJECT_NO_MATCH),
        ([UNKNOWN] * 5 + [SURER_A], Decision.REJECT_NO_MATCH),  # one high score outweighs nothing
        ([UNKNOWN, NOBODY, NEARER_UNKNOWN], Decision.REJECT_NO_MATCH),  # unknown whoever is nearest
        ([UNKNOWN, AMBIGUOUS, UNKNOWN, AMBIGUOUS], None),  # two different answers
        ([AMBIGUOUS, AMBIGUOUS, AMBIGUOUS], Decision.REJECT_AMBIGUOUS),
        ([BANNED, BANNED, BANNED], Decision.REJECT_NOT_ALLOWED),
        ([BANNED, OTHER_BANNED, BANNED, OTHER_BANNED], None),  # two different people to refuse
        ([A, OTHER_BANNED, A, OTHER_BANNED, A], Decision.REJECT_NOT_ALLOWED),
        ([A, A, OTHER_BANNED, A], Decision.REJECT_NOT_ALLOWED),  # one is enough
        ([OTHER_BANNED, UNKNOWN, UNKNOWN, A, UNKNOWN, A, A], Decision.REJECT_NOT_ALLOWED),  # older than the last five
        ([OTHER_BANNED, A, A], None),  # there is nothing to outweigh yet
        ([UNKNOWN, OTHER_BANNED, UNKNOWN, OTHER_BANNED, UNKNOWN], Decision.REJECT_NO_MATCH),  # names nobody anyway
        ([SUSPENDED, OTHER_BANNED, SUSPENDED, SUSPENDED], Decision.REJECT_NOT_ALLOWED),
    ],
)
def test_k_of_the_last_n_votes_decide(votes: list[Vote], decision: Decision | None) -> None:
    decided = voting.decided(votes, POLICY)
    assert (decided.decision if decided else None) is decision


@pytest.mark.parametrize(
    ("votes", "standing"),
    [
        ([A, OTHER_BANNED, SURER_A, A], OTHER_BANNED),
        ([A, OTHER_BANNED, SURER_BANNED, A, A], SURER_BANNED),  # the most similar one
        ([SUSPENDED, OTHER_BANNED, SUSPENDED, SUSPENDED], OTHER_BANNED),
        ([BANNED, BANNED, BANNED], BANNED),
    ],
)
def test_a_hit_on_the_deny_list_stands_for_the_decision_in_place_of_who_was_named(
    votes: list[Vote], standing: Vote
) -> None:
    assert voting.decided(votes, POLICY) == standing


def test_one_of_one_is_decided_by_the_newest_vote() -> None:
    single = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4, votes_needed=1, votes_of=1)
    assert voting.decided([B, UNKNOWN, A], single) == A


def test_a_stored_vote_names_people_by_number_and_holds_only_numbers_that_json_has() -> None:
    stored = VoteRecord(66.6, verdict.judge(fakes.candidates(0.76543, math.nan), POLICY), fakes.quality()).as_json()
    assert stored == {
        "at_ms": 67,
        "decision": "reject_ambiguous",
        "best_person": 1,
        "best_sample": 10,
        "similarity": 0.7654,
        "runner_up": 2,
        "runner_up_similarity": None,
        "margin": None,
        "others": [],
        "counts": True,
        "quality": fakes.quality().as_json(),
    }
    assert VoteRecord(0.0, NOBODY, fakes.quality()).as_json()["similarity"] is None


def test_a_stored_vote_keeps_the_five_closest_people_and_whether_it_counts() -> None:
    vote = verdict.judge(fakes.candidates(0.7, 0.5, 0.4, 0.3, 0.2, 0.1), POLICY)
    stored = VoteRecord(0.0, vote, fakes.quality()).as_json(counts=False)
    assert stored["others"] == [
        {"person": 3, "sample": 30, "similarity": 0.4},
        {"person": 4, "sample": 40, "similarity": 0.3},
        {"person": 5, "sample": 50, "similarity": 0.2},
    ]
    assert stored["counts"] is False


similarities = st.floats(-1, 1) | st.just(math.nan)


@given(
    st.lists(st.tuples(st.lists(similarities, max_size=3), st.sampled_from([None, *Bar])), max_size=12),
    st.floats(-0.9, 1),
    st.integers(1, 6).flatmap(lambda n: st.tuples(st.integers(n // 2 + 1, n), st.just(n))),
)
def test_no_sequence_of_votes_ends_in_an_accept_below_the_threshold_with_fewer_than_k_votes_or_beside_a_banned_person(
    frames: list[tuple[list[float], Bar | None]], threshold: float, k_of_n: tuple[int, int]
) -> None:
    needed, of = k_of_n
    policy = Policy(
        version=1,
        identification_threshold=threshold,
        verification_threshold=threshold,
        votes_needed=needed,
        votes_of=of,
    )
    votes = [verdict.judge(fakes.candidates(*frame, barred=barred), policy) for frame, barred in frames]
    decided = voting.decided(votes, policy)
    if decided is not None and decided.decision is Decision.ACCEPT:
        assert decided.best is not None
        assert decided.best.similarity >= threshold
        agreeing = [vote for vote in votes[-of:] if vote.answer == decided.answer]
        assert len(agreeing) >= needed
        assert all(vote.best and vote.best.similarity >= threshold for vote in agreeing)
        assert not any(vote.is_deny_list_hit for vote in votes)
