from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.decision import doubts
from recognition.decision.doubts import NEAR_DUPLICATE_SIMILARITY, Doubt, DoubtReason, Neighbour
from recognition.decision.policy import Policy

POLICY = Policy(version=1, identification_threshold=0.5, verification_threshold=0.4)
CONFLICT, OUTLIER, DUPLICATE = DoubtReason


def own(similarity: float) -> Neighbour:
    return Neighbour(person_id=1, sample_id=10, similarity=similarity)


def other(similarity: float) -> Neighbour:
    return Neighbour(person_id=2, sample_id=20, similarity=similarity)


@pytest.mark.parametrize(
    ("own_similarity", "other_similarity", "reasons"),
    [
        (None, None, []),
        (0.7, None, []),
        (0.4, None, []),
        (None, 0.49, []),
        (None, 0.5, [CONFLICT]),
        (0.6, 0.5, []),  # more like its own person than like the other
        (0.6, 0.6, []),
        (0.6, 0.61, [CONFLICT]),
        (math.nextafter(0.4, 0), 0.45, [OUTLIER]),
        (0.1, 0.9, [CONFLICT, OUTLIER]),
        (NEAR_DUPLICATE_SIMILARITY, 0.1, [DUPLICATE]),
        (0.95, 0.96, [CONFLICT, DUPLICATE]),
    ],
)
def test_says_what_speaks_against_a_sample_the_gravest_first(
    own_similarity: float | None, other_similarity: float | None, reasons: list[DoubtReason]
) -> None:
    found = doubts.find(
        own=None if own_similarity is None else own(own_similarity),
        other=None if other_similarity is None else other(other_similarity),
        policy=POLICY,
    )
    assert [doubt.reason for doubt in found] == reasons


def test_a_doubt_names_what_it_was_held_against_and_the_limit() -> None:
    conflict, outlier = doubts.find(own=own(0.2), other=other(0.8), policy=POLICY)
    assert conflict == Doubt(CONFLICT, similarity=0.8, limit=0.5, sample_id=20, person_id=2)
    assert outlier == Doubt(OUTLIER, similarity=0.2, limit=0.4, sample_id=10, person_id=1)


@given(
    st.builds(
        Doubt,
        reason=st.sampled_from(DoubtReason),
        similarity=st.integers(-1_000_000, 1_000_000).map(lambda millionths: millionths / 1e6),
        limit=st.integers(-1_000_000, 1_000_000).map(lambda millionths: millionths / 1e6),
        sample_id=st.integers(1, 2**31),
        person_id=st.integers(1, 2**31),
    )
)
def test_what_is_stored_is_read_again(doubt: Doubt) -> None:
    assert Doubt.from_json(doubt.as_json()) == doubt


def test_an_unknown_reason_is_refused() -> None:
    stored = doubts.find(own=None, other=other(0.8), policy=POLICY)[0].as_json()
    with pytest.raises(ValueError, match="whatever"):
        Doubt.from_json({**stored, "reason": "whatever"})


class TestClosest:
    def test_of_none_is_none(self) -> None:
        assert doubts.closest([]) is None

    def test_is_the_most_similar_and_of_equals_the_first_sample(self) -> None:
        neighbours = [Neighbour(1, 5, 0.4), Neighbour(2, 9, 0.6), Neighbour(3, 7, 0.6)]
        assert doubts.closest(neighbours) == Neighbour(3, 7, 0.6)
