"""What a gallery does under another pack, found in blocks of any size."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.decision import pack_comparison
from recognition.decision.gallery_check import ConfusablePair, block_count
from recognition.decision.pack_comparison import NOBODY, Nearest, RankChange
from recognition.vision.templates import Templates

DIMENSION = 4


def templates(*rows: tuple[int, int, tuple[float, ...]]) -> Templates:
    """Each row: sample, person, and the start of its vector; the last number makes it of unit length."""
    vectors = np.zeros((len(rows), DIMENSION), np.float32)
    for vector, (_, _, start) in zip(vectors, rows, strict=True):
        vector[: len(start)] = start
        vector[-1] = np.sqrt(1 - np.square(start).sum())
    return Templates(
        np.array([sample for sample, _, _ in rows], np.int64),
        np.array([person for _, person, _ in rows], np.int64),
        vectors,
    )


def nearest(everybody: Templates, block_rows: int = 2) -> Nearest:
    blocks = range(block_count(everybody, block_rows))
    return pack_comparison.joined(pack_comparison.nearest(everybody, block, block_rows) for block in blocks)


def ranks(before: Templates, after: Templates) -> pack_comparison.Ranks:
    return pack_comparison.ranks(before, after, nearest(before), nearest(after))


NOBODY_AT_ALL = templates()
TOGETHER = templates((1, 1, (1.0,)), (2, 1, (0.9,)), (3, 2, (0.0, 1.0)), (4, 2, (0.0, 0.9)))
"""Two people whose two samples each are most like each other."""

APART = templates((1, 1, (1.0,)), (2, 1, (-0.1, 0.7)), (3, 2, (0.0, 1.0)), (4, 2, (0.0, 0.95)))
"""Both samples of the first person are more like the second person than each other."""


class TestNearest:
    def test_of_nobody_is_nobody(self) -> None:
        assert len(nearest(NOBODY_AT_ALL).places) == 0

    def test_of_a_single_sample_is_nobody(self) -> None:
        assert nearest(templates((1, 1, (1.0,)))).places.tolist() == [NOBODY]

    @pytest.mark.parametrize("block_rows", [1, 2, 3, 7, 1024])
    def test_is_the_same_as_by_one_product_whatever_the_size_of_a_block(self, block_rows: int) -> None:
        vectors = np.random.default_rng(3).normal(size=(7, DIMENSION))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        numbers = np.arange(7, dtype=np.int64)
        everybody = Templates(numbers, numbers, vectors.astype(np.float32))
        scores = everybody.vectors @ everybody.vectors.T
        np.fill_diagonal(scores, -np.inf)
        found = nearest(everybody, block_rows)
        assert found.places.tolist() == scores.argmax(axis=1).tolist()
        assert found.similarities == pytest.approx(scores.max(axis=1), abs=1e-6)


class TestRanks:
    def test_of_nobody_are_none(self) -> None:
        assert ranks(NOBODY_AT_ALL, NOBODY_AT_ALL) == pack_comparison.Ranks(0, (), 0)

    def test_of_the_same_templates_change_nowhere(self) -> None:
        assert ranks(TOGETHER, TOGETHER) == pack_comparison.Ranks(4, (), 0)

    def test_name_who_is_found_in_place_of_the_right_person(self) -> None:
        found = ranks(TOGETHER, APART)
        assert found.probes == 4
        second, first = found.worse
        assert (second.people, second.samples) == ((1, 2), (2, 4))
        assert second.similarity == pytest.approx(0.886, abs=1e-3)
        assert first.people == (1, 2)

    def test_count_where_only_the_new_pack_is_right(self) -> None:
        assert ranks(APART, TOGETHER).better == 2

    def test_leave_out_who_has_a_single_sample_and_what_the_new_pack_could_not_embed(self) -> None:
        alone = templates((1, 1, (1.0,)), (2, 2, (0.5,)), (3, 2, (0.6,)))
        assert ranks(alone, templates((1, 1, (1.0,)), (2, 2, (0.5,)))).probes == 1

    def test_a_sample_that_is_left_alone_finds_somebody_else(self) -> None:
        lost = templates((1, 1, (1.0,)), (3, 2, (0.0, 1.0)), (4, 2, (0.0, 0.9)))
        assert [change.samples[0] for change in ranks(TOGETHER, lost).worse] == [1]

    def test_a_change_holds_plain_numbers(self) -> None:
        change, _ = ranks(TOGETHER, APART).worse
        assert change == RankChange((1, 2), (2, 4), change.similarity)
        assert {type(number) for number in (*change.people, *change.samples)} == {int}


def test_pairs_that_both_packs_confuse_are_not_new_whatever_their_samples() -> None:
    known = ConfusablePair((1, 2), (10, 20), 0.5)
    again = ConfusablePair((1, 2), (11, 21), 0.9)
    new = ConfusablePair((1, 3), (10, 30), 0.6)
    assert pack_comparison.newly_confused((), ()) == ()
    assert pack_comparison.newly_confused((known,), (again, new)) == (new,)
