from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.decision import matching
from recognition.decision.matching import Candidate, CandidateList
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
