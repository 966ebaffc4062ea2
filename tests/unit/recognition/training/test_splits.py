from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.training import splits
from recognition.training.splits import LEAST_PEOPLE, TooFewPeople


def test_nobody_can_be_parted() -> None:
    with pytest.raises(TooFewPeople, match="expected 10 people or more"):
        splits.by_person([], seed=0)


@given(st.integers(LEAST_PEOPLE, 60), st.integers(0, 5))
def test_nobody_is_in_two_parts_and_nobody_is_left_out(count: int, seed: int) -> None:
    people = [f"p{number}" for number in range(count)]
    parts = splits.by_person([*people, *people], seed=seed)
    assert parts.learning | parts.stopping | parts.validation == set(people)
    assert len(parts.learning) + len(parts.stopping) + len(parts.validation) == count
    assert len(parts.stopping) == len(parts.validation) >= 1


def test_the_order_of_the_people_does_not_matter_and_the_seed_does() -> None:
    people = [f"p{number}" for number in range(40)]
    assert splits.by_person(people, seed=1) == splits.by_person(reversed(people), seed=1)
    assert splits.by_person(people, seed=1) != splits.by_person(people, seed=2)
