from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.evaluation import all_pairs, error_rates
from recognition.evaluation.error_rates import NoScores
from recognition.vision.errors import InvalidArray

FMRS = (0.2, 0.01, 0.0)


def some_people(count: int, people: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Images of people: vectors that scatter around one direction for each person."""
    random = np.random.default_rng(seed)
    who = np.append(random.integers(0, people, count - 3), [0, 0, 1])
    centres = random.standard_normal((people, 8))
    vectors = centres[who] + 0.7 * random.standard_normal((count, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), who.astype(np.int64)


def one_by_one(
    vectors: NDArray[np.float32], people: NDArray[np.int64], acquired: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Similarities of mated and of non-mated pairs, the slow and obvious way."""
    found: tuple[list[float], list[float]] = ([], [])
    scores = vectors @ vectors.T
    for first, second in itertools.combinations(range(len(vectors)), 2):
        score = scores[first, second] if acquired[first] and acquired[second] else -1.0
        found[int(people[first] != people[second])].append(float(score))
    return np.array(found[0], np.float32), np.array(found[1], np.float32)


@pytest.mark.parametrize("people", [[], [7], [7, 7, 7], [1, 2, 3]])
def test_without_both_kinds_of_pairs_there_is_nothing_to_compare(people: list[int]) -> None:
    with pytest.raises(NoScores, match="mated"):
        all_pairs.compare(
            np.eye(max(len(people), 1), dtype=np.float32)[: len(people)], np.array(people, np.int64), fmrs=FMRS
        )


def test_arrays_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(InvalidArray, match=r"people: expected \(3\)"):
        all_pairs.compare(np.eye(3, dtype=np.float32), np.zeros(2, np.int64), fmrs=FMRS)


@pytest.mark.parametrize("count", [3, 4, 5, 31])  # one block, exactly one, one more, many
@pytest.mark.parametrize("seed", range(3))
def test_every_pair_is_counted_once_whatever_the_blocks(count: int, seed: int) -> None:
    vectors, people = some_people(count, 4, seed)
    acquired = np.ones(count, np.bool_)
    mated, non_mated = one_by_one(vectors, people, acquired)
    result = all_pairs.compare(vectors, people, fmrs=FMRS, block_rows=4)
    assert (result.mated, result.non_mated) == (len(mated), len(non_mated))
    for point in result.points:
        assert point.threshold == pytest.approx(error_rates.threshold_at_fmr(non_mated, point.fmr), abs=1e-6)
        assert point.non_mated_matches <= error_rates.allowed_matches(len(non_mated), point.fmr)
        assert result.tmr(point) == pytest.approx(error_rates.tmr(mated, point.threshold))


def test_a_face_that_was_not_found_misses_its_mates_and_matches_nobody() -> None:
    vectors, people = np.ones((4, 1), np.float32), np.array([1, 1, 2, 2], np.int64)
    everyone = all_pairs.compare(vectors, people, fmrs=[1.0])
    assert (everyone.points[0].mated_matches, everyone.points[0].non_mated_matches) == (2, 4)
    acquired = np.array([True, False, True, True])
    without = all_pairs.compare(vectors, people, fmrs=[0.5], acquired=acquired)
    assert (without.mated, without.non_mated) == (2, 4)
    # Two of the four non-mated pairs are acquired and equal: both may match, and one mated pair does.
    assert (without.points[0].mated_matches, without.points[0].non_mated_matches) == (1, 2)


def test_memory_stays_with_the_blocks_and_not_with_the_pairs() -> None:
    vectors, people = some_people(3000, 400, 0)
    tracemalloc.start()
    try:
        all_pairs.compare(vectors, people, fmrs=[1e-4], block_rows=128)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3000 * 2999 / 2 * 4 / 10  # a tenth of all similarities


@given(st.integers(0, 2**32 - 1), st.integers(3, 20), st.floats(0, 1))
def test_thresholds_are_those_of_the_order_statistics(seed: int, count: int, fmr: float) -> None:
    vectors, people = some_people(count, 3, seed)
    acquired = np.random.default_rng(seed).random(count) > 0.2
    try:
        result = all_pairs.compare(vectors, people, fmrs=[fmr], acquired=acquired, block_rows=7)
    except NoScores:
        return
    mated, non_mated = one_by_one(vectors, people, acquired)
    point = result.points[0]
    assert point.threshold == pytest.approx(error_rates.threshold_at_fmr(non_mated, fmr), abs=1e-6)
    assert point.mated_matches == pytest.approx(np.count_nonzero(mated >= point.threshold), abs=1)
