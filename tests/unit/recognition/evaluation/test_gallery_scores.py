from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.evaluation import gallery_scores
from recognition.evaluation.gallery_scores import BINS, EDGES, Tally
from recognition.vision.templates import Templates

MARGIN = 0.05


def gallery(*people: int, seed: int = 0, dimension: int = 4) -> Templates:
    """Random samples of those people; in few dimensions, so that many are alike."""
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(len(people), dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Templates(np.arange(100, 100 + len(people), dtype=np.int64), np.array(people, np.int64), vectors)


def drawn(*samples: tuple[int, float]) -> Templates:
    """Samples of (person, angle in degrees): similarities are cosines of differences."""
    people = np.array([person for person, _ in samples], np.int64)
    angles = np.radians([angle for _, angle in samples])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return Templates(np.arange(1, len(samples) + 1, dtype=np.int64), people, vectors)


def whole(samples: Templates, *, margin: float = MARGIN, block_rows: int = 1024) -> Tally:
    total = Tally.nothing()
    for block in range(gallery_scores.block_count(samples, block_rows)):
        total += gallery_scores.measure(samples, block, margin=margin, block_rows=block_rows)
    return total


def reaching(counts: NDArray[np.int64], threshold: float) -> int:
    return int(gallery_scores.at_or_above(counts)[int(np.searchsorted(EDGES, threshold))])


def test_an_empty_gallery_counts_nothing() -> None:
    empty = Templates(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4), np.float32))
    assert gallery_scores.block_count(empty) == 0
    assert whole(empty).as_json() == Tally.nothing().as_json()


def test_one_person_alone_is_searched_by_nobody() -> None:
    tally = whole(gallery(1, 1, 1))
    assert (tally.mated.sum(), tally.non_mated.sum()) == (3, 0)
    assert (tally.stranger_searches, tally.owner_searches, tally.pairs) == (0, 3, ())


def test_comparisons_are_counted_once_by_who_they_are_of() -> None:
    # Of 1 and 2 at 0 and 60 degrees: 0.5; of 1 alone at 10 degrees: 0.985.
    tally = whole(drawn((1, 0), (1, 10), (2, 60)))
    assert tally.mated.sum() == 1
    assert reaching(tally.mated, 0.984) == 1
    assert reaching(tally.mated, 0.985) == 0
    assert tally.non_mated.sum() == 2
    assert reaching(tally.non_mated, 0.499) == 2
    assert reaching(tally.non_mated, 0.642) == 1
    assert [(pair.people, pair.samples) for pair in tally.pairs] == [((1, 2), (2, 3))]
    assert tally.pairs[0].similarity == pytest.approx(0.6428, abs=1e-4)


def test_a_stranger_is_somebody_whose_own_samples_are_left_out() -> None:
    # Each one's closest other: 1 -> 2 (20 degrees, 0.940), 2 -> 1, 3 -> 2 (70 degrees, 0.342).
    tally = whole(drawn((1, 0), (2, 20), (3, 90)))
    assert tally.stranger_searches == 3
    assert reaching(tally.strangers, 0.939) == 2
    assert reaching(tally.strangers, 0.342) == 3
    assert tally.owner_searches == 0


def test_who_is_as_like_two_people_is_not_named() -> None:
    between = whole(drawn((1, 0), (2, 20), (3, 10)))
    # 3 lies between both, at 10 degrees; each of them has 3 at 0.985 before the other at 0.940, less than the margin.
    assert reaching(between.strangers, 0.9) == 3
    assert between.strangers_named.sum() == 0
    assert whole(drawn((1, 0), (2, 20), (3, 10)), margin=0.04).strangers_named.sum() == 2


def test_an_owner_is_named_by_another_sample_of_theirs() -> None:
    tally = whole(drawn((1, 0), (1, 10), (2, 90), (2, 12)))
    # The second of 1 is closer to the second of 2 than to its own; the first of 1 is not ahead by the margin.
    assert tally.owner_searches == 4
    assert tally.owners_named.sum() == 0
    apart = whole(drawn((1, 0), (1, 10), (2, 90), (2, 80)))
    assert apart.owners_named.sum() == 4
    assert reaching(apart.owners_named, 0.984) == 4


def test_equal_vectors_are_in_the_last_bin() -> None:
    tally = whole(drawn((1, 30), (1, 30)))
    assert tally.mated[BINS - 1] + tally.mated[BINS - 2] == 1


def test_of_many_pairs_the_highest_are_kept_each_two_people_once() -> None:
    samples = gallery(*np.repeat(np.arange(1, 11), 3).tolist(), seed=3)
    scores = samples.vectors @ samples.vectors.T
    best = {
        (one, other): max(
            float(scores[row, column])
            for row, column in itertools.product(
                np.flatnonzero(samples.people == one), np.flatnonzero(samples.people == other)
            )
        )
        for one, other in itertools.combinations(range(1, 11), 2)
    }
    expected: list[tuple[tuple[int, int], float]] = sorted(best.items(), key=lambda item: -item[1])
    expected = expected[: gallery_scores.MOST_PAIRS]
    for rows in (5, 1024):
        found = whole(samples, block_rows=rows).pairs
        assert [pair.people for pair in found] == [people for people, _ in expected]
        assert [pair.similarity for pair in found] == pytest.approx([similarity for _, similarity in expected])


@given(st.lists(st.integers(1, 6), max_size=24).map(sorted), st.integers(1, 9), st.sampled_from([0.0, 0.05, 0.3]))
def test_blocks_change_nothing_and_every_count_is_what_comparing_one_by_one_gives(
    people: list[int], block_rows: int, margin: float
) -> None:
    samples = gallery(*people, seed=len(people)) if people else drawn()
    tally = whole(samples, margin=margin, block_rows=block_rows)
    at_once = whole(samples, margin=margin)
    assert [pair.people for pair in tally.pairs] == [pair.people for pair in at_once.pairs]
    slow = OneByOne(samples, margin)
    for counts, expected in (
        (tally.mated, slow.mated),
        (tally.non_mated, slow.non_mated),
        (tally.strangers, slow.strangers),
        (tally.strangers_named, slow.named),
        (tally.owners_named, slow.owned),
    ):
        assert counts.sum() == len(expected)
        for threshold in (-0.5, 0.0, 0.25, 0.8):
            # What is as close to the threshold as sums are rounded may fall on either side.
            unsure = sum(abs(value - threshold) < 1e-5 for value in expected)
            assert abs(reaching(counts, threshold) - sum(value >= threshold for value in expected)) <= unsure
    assert (tally.stranger_searches, tally.owner_searches) == (len(slow.strangers), slow.owners)


class OneByOne:
    """The same, one sample after the other."""

    def __init__(self, samples: Templates, margin: float) -> None:
        self.mated: list[float] = []
        self.non_mated: list[float] = []
        self.strangers: list[float] = []
        self.named: list[float] = []
        self.owned: list[float] = []
        self.owners = 0
        for probe in range(len(samples)):
            self._search(samples, probe, margin)

    def _search(self, samples: Templates, probe: int, margin: float) -> None:
        closest: dict[int, float] = {}
        for other in range(len(samples)):
            if other == probe:
                continue
            similarity = float(samples.vectors[probe] @ samples.vectors[other])
            person = int(samples.people[other])
            closest[person] = max(closest.get(person, -2.0), similarity)
            if other > probe:
                (self.mated if person == samples.people[probe] else self.non_mated).append(similarity)
        own = closest.pop(int(samples.people[probe]), None)
        ranked = sorted(closest.values(), reverse=True)
        if ranked:
            self.strangers.append(ranked[0])
            if len(ranked) == 1 or ranked[0] - ranked[1] >= margin:
                self.named.append(ranked[0])
        if own is not None:
            self.owners += 1
            if not ranked or (own > ranked[0] and own - ranked[0] >= margin):
                self.owned.append(own)


def test_what_is_kept_comes_back() -> None:
    tally = whole(gallery(1, 1, 2, 2, 3))
    kept = Tally.from_json(tally.as_json())
    assert kept.as_json() == tally.as_json()
    assert (kept.mated == tally.mated).all()
    assert Tally.from_json(Tally.nothing().as_json()).non_mated.sum() == 0
