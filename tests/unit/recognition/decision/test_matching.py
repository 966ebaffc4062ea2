from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.decision import matching, verdict
from recognition.decision.matching import Candidate, CandidateList, Strategy
from recognition.decision.policy import Policy
from recognition.decision.verdict import Decision
from tests import fakes


def hit(person: int, similarity: float, sample: int = 0) -> Candidate:
    return Candidate(person, f"person {person}", sample, similarity)


hits = st.lists(st.builds(hit, st.integers(1, 5), st.floats(-1, 1), st.integers(0, 20)), max_size=20)


@pytest.mark.parametrize(
    ("people", "best", "runner_up", "margin"),
    [
        (fakes.candidates(), None, None, None),
        (fakes.candidates(0.9), 1, None, None),
        (fakes.candidates(0.9, 0.7), 1, 2, 0.2),
        (fakes.candidates(0.9, 0.9, 0.1), 1, 2, 0.0),
    ],
)
def test_a_list_knows_the_two_closest_people_and_their_gap(
    people: CandidateList, best: int | None, runner_up: int | None, margin: float | None
) -> None:
    assert (people.best.person_id if people.best else None) == best
    assert (people.runner_up.person_id if people.runner_up else None) == runner_up
    assert people.margin == (margin if margin is None else pytest.approx(margin))


@pytest.mark.parametrize(
    ("found", "ranked"),
    [
        ([], []),
        ([hit(1, 0.5)], [(1, 0.5)]),
        ([hit(1, 0.5, 10), hit(1, 0.7, 11), hit(1, 0.6, 12)], [(1, 0.7)]),  # a person's best sample stands for all
        ([hit(1, 0.5), hit(2, 0.9), hit(1, 0.7)], [(2, 0.9), (1, 0.7)]),
        ([hit(2, 0.5), hit(1, 0.5)], [(1, 0.5), (2, 0.5)]),  # a tie: the same order every time
        ([hit(1, -0.5), hit(2, -0.1)], [(2, -0.1), (1, -0.5)]),
    ],
)
def test_people_are_ranked_by_their_single_most_similar_sample(
    found: list[Candidate], ranked: list[tuple[int, float]]
) -> None:
    people = matching.nearest_sample(found).people
    assert [(person.person_id, person.similarity) for person in people] == ranked


@given(hits)
def test_every_person_found_is_listed_once_and_in_order(found: list[Candidate]) -> None:
    people = matching.nearest_sample(found).people
    assert sorted(person.person_id for person in people) == sorted({one.person_id for one in found})
    similarities = [person.similarity for person in people]
    assert similarities == sorted(similarities, reverse=True)
    assert similarities[:1] == ([max(one.similarity for one in found)] if found else [])


@given(hits, st.randoms(use_true_random=False))
def test_the_order_of_the_hits_does_not_matter_to_who_is_ranked_where(found: list[Candidate], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    ranked = [(one.person_id, one.similarity) for one in matching.nearest_sample(found).people]
    assert [(one.person_id, one.similarity) for one in matching.nearest_sample(shuffled).people] == ranked


@given(st.permutations([hit(1, 0.5), hit(2, math.nan), hit(3, 0.9), hit(4, 0.1), hit(3, math.nan), hit(1, math.nan)]))
def test_what_is_not_a_number_is_ranked_last_and_hides_nobody(found: list[Candidate]) -> None:
    assert [one.person_id for one in matching.nearest_sample(found).people] == [3, 1, 4, 2]


class TestKNearest:
    @pytest.mark.parametrize(
        ("found", "k", "ranked"),
        [
            ([], 5, []),
            ([hit(1, 0.5)], 5, [(1, 0.5)]),
            ([hit(1, 0.9), hit(2, 0.8), hit(3, 0.7)], 5, [(1, 0.9), (2, 0.8), (3, 0.7)]),  # one vote each: the closest
            ([hit(1, 0.9), hit(2, 0.8), hit(2, 0.7)], 3, [(2, 0.8), (1, 0.9)]),  # outvoted
            ([hit(1, 0.9), hit(2, 0.8), hit(2, 0.7)], 2, [(1, 0.9), (2, 0.8)]),  # only the k most similar vote
            ([hit(1, 0.9), hit(1, 0.6), hit(2, 0.8), hit(2, 0.7)], 4, [(1, 0.9), (2, 0.8)]),  # as many: the closest
            ([hit(3, 0.85), hit(1, 0.9), hit(2, 0.8), hit(2, 0.7)], 5, [(2, 0.8), (1, 0.9), (3, 0.85)]),
            ([hit(1, math.nan), hit(1, math.nan), hit(2, 0.1)], 5, [(2, 0.1)]),  # what is not a number votes for nobody
            ([hit(2, math.nan), hit(1, math.nan)], 5, []),
        ],
    )
    def test_ranks_the_winner_of_the_vote_first_and_all_others_by_similarity(
        self, found: list[Candidate], k: int, ranked: list[tuple[int, float]]
    ) -> None:
        people = matching.k_nearest(found, k).people
        numbers = [(one.person_id, one.similarity) for one in people if not math.isnan(one.similarity)]
        assert numbers == ranked

    def test_counts_only_votes_that_reach_what_is_asked_of_them(self) -> None:
        found = [hit(1, 0.9), hit(2, 0.2), hit(2, 0.1), hit(3, 0.05)]
        assert [one.person_id for one in matching.k_nearest(found).people] == [2, 1, 3]
        assert [one.person_id for one in matching.k_nearest(found, least_similarity=0.9).people] == [1, 2, 3]
        assert [one.person_id for one in matching.k_nearest(found, least_similarity=0.95).people] == [1, 2, 3]

    def test_has_a_negative_margin_where_the_vote_went_against_the_closest(self) -> None:
        margin = matching.k_nearest([hit(1, 0.9), hit(2, 0.8), hit(2, 0.7)]).margin
        assert margin == pytest.approx(-0.1)

    def test_needs_somebody_to_vote(self) -> None:
        with pytest.raises(ValueError, match="k: expected at least 1, got 0"):
            matching.k_nearest([hit(1, 0.9)], 0)

    @given(hits, st.integers(1, 7), st.floats(-1, 1))
    def test_lists_the_same_people_with_the_same_similarities_and_never_a_larger_margin(
        self, found: list[Candidate], k: int, least: float
    ) -> None:
        nearest, voted = matching.nearest_sample(found), matching.k_nearest(found, k, least_similarity=least)
        assert set(voted.people) == set(nearest.people)
        if voted.margin is not None and nearest.margin is not None:
            assert voted.margin <= nearest.margin

    @given(hits, st.floats(-1, 1), st.floats(0.001, 1), st.integers(1, 7))
    def test_only_withholds_names_that_nearest_would_give(
        self, found: list[Candidate], threshold: float, margin: float, k: int
    ) -> None:
        policy = Policy(version=1, identification_threshold=threshold, verification_threshold=0.4, margin=margin)
        voted = verdict.judge(matching.k_nearest(found, k, least_similarity=threshold), policy)
        if voted.decision is Decision.ACCEPT:
            assert voted == verdict.judge(matching.nearest_sample(found), policy)
            assert voted.best is not None
            assert voted.best.similarity >= threshold


class TestRanked:
    def test_orders_people_by_their_one_score(self) -> None:
        scores = [hit(3, 0.5), hit(1, math.nan), hit(2, 0.9), hit(4, 0.5)]
        assert [one.person_id for one in matching.ranked(scores).people] == [2, 3, 4, 1]
        assert matching.ranked([]) == CandidateList()

    def test_takes_one_score_a_person(self) -> None:
        with pytest.raises(ValueError, match="expected one score a person"):
            matching.centroid([hit(1, 0.5), hit(1, 0.6)])


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [(Strategy.NEAREST, [1, 2]), (Strategy.K_NEAREST, [2, 1]), (Strategy.CENTROID, [])],
)
def test_a_policy_s_strategy_ranks(strategy: Strategy, expected: list[int]) -> None:
    found = [] if strategy is Strategy.CENTROID else [hit(1, 0.9), hit(2, 0.8), hit(2, 0.7)]
    assert [one.person_id for one in matching.rank(found, strategy).people] == expected


def test_the_least_similarity_reaches_the_vote() -> None:
    found = [hit(1, 0.9), hit(2, 0.2), hit(2, 0.1)]
    assert [one.person_id for one in matching.rank(found, Strategy.K_NEAREST, least_similarity=0.5).people] == [1, 2]


@pytest.mark.parametrize(
    ("similarity", "distance"), [(1.0, 0.0), (0.5, 1.0), (0.0, 2**0.5), (-1.0, 2.0), (1.0000001, 0.0)]
)
def test_the_distance_of_unit_vectors_follows_from_their_similarity(similarity: float, distance: float) -> None:
    assert matching.unit_distance(similarity) == pytest.approx(distance)
