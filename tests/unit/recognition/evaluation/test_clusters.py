from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.evaluation import clusters
from recognition.evaluation.clusters import Agreement
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.lfw_protocol import ImageName
from recognition.evaluation.open_set import TooFewPeople
from recognition.vision.errors import InvalidArray


def labels(text: str) -> NDArray[np.int64]:
    return np.array([ord(letter) for letter in text], np.int64)


@pytest.mark.parametrize("measure", [clusters.bcubed, clusters.pairwise])
def test_of_no_faces_nothing_can_be_said(measure: object) -> None:
    with pytest.raises(NoScores, match="at least one face"):
        measure(labels(""), labels(""))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("groups", "people", "precision", "recall"),
    [
        ("a", "x", 1.0, 1.0),
        ("ab", "xy", 1.0, 1.0),
        ("aa", "xy", 0.5, 1.0),
        ("ab", "xx", 1.0, 0.5),
        # Bagga and Baldwin, figures 3 to 5: {1 2 3 4 5} {6 7} {8 9 A B C}, of which two are taken for one
        ("aaaaabbbbbbb", "xxxxxyyzzzzz", (5 + 2 * 2 / 7 + 5 * 5 / 7) / 12, 1.0),
        ("aaaaabbaaaaa", "xxxxxyyzzzzz", 7 / 12, 1.0),
        # By hand: {x x y} {x y}
        ("aaabb", "xxyxy", (2 / 3 + 2 / 3 + 1 / 3 + 1 / 2 + 1 / 2) / 5, (2 / 3 + 2 / 3 + 1 / 2 + 1 / 3 + 1 / 2) / 5),
    ],
)
def test_bcubed_is_what_is_computed_by_hand(groups: str, people: str, precision: float, recall: float) -> None:
    found = clusters.bcubed(labels(groups), labels(people))
    assert (found.precision, found.recall) == pytest.approx((precision, recall))


@pytest.mark.parametrize(
    ("groups", "people", "precision", "recall"),
    [
        ("a", "x", 1.0, 1.0),
        ("ab", "xy", 1.0, 1.0),
        ("aa", "xy", 0.0, 1.0),
        ("ab", "xx", 1.0, 0.0),
        # Manning, Raghavan and Schütze, figure 16.4: 20 of 40 pairs in groups, 20 of 44 pairs of one kind
        ("aaaaaa" + "bbbbbb" + "ccccc", "xxxxxo" + "xoooo+" + "xx+++", 20 / 40, 20 / 44),
    ],
)
def test_pairs_are_counted_as_by_hand(groups: str, people: str, precision: float, recall: float) -> None:
    found = clusters.pairwise(labels(groups), labels(people))
    assert (found.precision, found.recall) == pytest.approx((precision, recall))


def test_f_is_the_harmonic_mean() -> None:
    assert Agreement(0.5, 1.0).f == pytest.approx(2 / 3)
    assert Agreement(0.0, 0.0).f == 0.0


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 4)), min_size=1, max_size=12))
def test_both_are_what_their_definitions_say(faces: list[tuple[int, int]]) -> None:
    groups, people = (np.array(column, np.int64) for column in zip(*faces, strict=True))
    bcubed, pairwise = clusters.bcubed(groups, people), clusters.pairwise(groups, people)
    same_group, same_person = groups[:, None] == groups, people[:, None] == people
    both = (same_group & same_person).sum(axis=1)
    assert bcubed.precision == pytest.approx((both / same_group.sum(axis=1)).mean())
    assert bcubed.recall == pytest.approx((both / same_person.sum(axis=1)).mean())
    others = ~np.eye(len(faces), dtype=bool)
    for measured, pairs in ((pairwise.precision, same_group & others), (pairwise.recall, same_person & others)):
        right = (same_group & same_person & others).sum()
        assert measured == (pytest.approx(right / pairs.sum()) if pairs.any() else 1.0)


def test_labels_of_another_number_or_type_are_refused() -> None:
    with pytest.raises(InvalidArray, match="people: expected"):
        clusters.bcubed(labels("ab"), labels("x"))
    with pytest.raises(InvalidArray, match="clusters: expected"):
        clusters.pairwise(np.zeros(2, np.float32), labels("xx"))


def images(**counts: int) -> list[ImageName]:
    return [ImageName(person, number) for person, count in counts.items() for number in range(count, 0, -1)]


def test_chooses_all_images_of_people_who_have_enough() -> None:
    everybody = images(Cyd=1, Bo=3, Ada=4)
    found = clusters.chosen(everybody, people=2, min_images=3, seed=0)
    assert found == tuple(sorted(images(Ada=4, Bo=3)))


def test_the_seed_chooses_the_people() -> None:
    everybody = images(**{f"P{number}": 3 for number in range(9)})
    found = {seed: clusters.chosen(everybody, people=4, min_images=3, seed=seed) for seed in range(5)}
    assert found[1] == clusters.chosen(everybody[::-1], people=4, min_images=3, seed=1)
    assert len(set(found.values())) > 1


@pytest.mark.parametrize("people", [0, 3])
def test_more_people_than_there_are_cannot_be_chosen(people: int) -> None:
    with pytest.raises(TooFewPeople, match=f"expected 1 to 2, as so many have 3 images or more, got {people}"):
        clusters.chosen(images(Ada=4, Bo=3, Cyd=2), people=people, min_images=3, seed=0)
