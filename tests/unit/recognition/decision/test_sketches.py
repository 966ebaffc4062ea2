from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.decision.sketches import Sketches
from recognition.evaluation import face_like
from recognition.vision.errors import InvalidArray


def directions(count: int, *, dimension: int = 128, seed: int = 0) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def sketches(vectors: NDArray[np.float32], first: int = 1000) -> Sketches:
    made = Sketches(np.zeros(vectors.shape[1], np.float32))
    made.add(np.arange(first, first + len(vectors), dtype=np.int64), vectors)
    return made


class TestNearest:
    def test_of_none_is_none(self) -> None:
        assert sketches(directions(0)).nearest(directions(1)[0], 5).tolist() == []

    def test_of_few_is_everybody(self) -> None:
        assert sketches(directions(3)).nearest(directions(1, seed=1)[0], 3).tolist() == [1000, 1001, 1002]

    @given(
        count=st.integers(1, 40),
        most=st.integers(1, 50),
        dimension=st.sampled_from([3, 128, 300]),
        seed=st.integers(0, 5),
    )
    def test_is_as_many_as_are_asked_for_and_nobody_twice(
        self, count: int, most: int, dimension: int, seed: int
    ) -> None:
        vectors = directions(count, dimension=dimension, seed=seed)
        found = sketches(vectors).nearest(vectors[-1], most)
        assert len(set(found.tolist())) == min(count, most)
        assert 1000 + count - 1 in found

    def test_leaves_out_those_that_differ_most(self) -> None:
        probe = directions(1)[0]
        away = np.stack([probe, -probe, directions(1, seed=1)[0]])
        assert set(sketches(away).nearest(probe, 2).tolist()) == {1000, 1002}

    def test_holds_the_mate_among_faces(self) -> None:
        gallery = face_like.generate(face_like.load(), people=5_000, samples_each=4, probes=200, seed=1)
        held = Sketches(gallery.vectors.mean(axis=0))
        held.add(np.arange(len(gallery.vectors), dtype=np.int64), gallery.vectors)
        best = (gallery.probes @ gallery.vectors.T).argmax(axis=1)
        hits = [number in held.nearest(probe, 20) for probe, number in zip(gallery.probes, best, strict=True)]
        assert np.mean(hits) > 0.99

    def test_holds_the_one_who_is_most_like_it_after_the_mate(self) -> None:
        gallery = face_like.generate(face_like.load(), people=5_000, samples_each=4, probes=200, seed=2)
        held = Sketches(gallery.vectors.mean(axis=0))
        held.add(np.arange(len(gallery.vectors), dtype=np.int64), gallery.vectors)
        similarities = gallery.probes @ gallery.vectors.T
        people = np.arange(len(gallery.vectors)) // gallery.samples_each
        similarities[people[None] == people[similarities.argmax(axis=1)][:, None]] = -1.0
        following = similarities.argmax(axis=1)
        hits = [number in held.nearest(probe, 64) for probe, number in zip(gallery.probes, following, strict=True)]
        assert np.mean(hits) > 0.95

    def test_of_another_dimension_is_refused(self) -> None:
        with pytest.raises(InvalidArray, match=r"expected \(128\)"):
            sketches(directions(3)).nearest(directions(1, dimension=3)[0], 1)


class TestHolding:
    def test_more_than_there_is_room_for_loses_nobody(self) -> None:
        vectors = directions(40_000, dimension=16)
        held = Sketches(np.zeros(16, np.float32))
        for begin in range(0, len(vectors), 9_000):
            part = vectors[begin : begin + 9_000]
            held.add(np.arange(begin, begin + len(part), dtype=np.int64), part)
        assert np.array_equal(held.numbers, np.arange(40_000))
        assert held.nearest(vectors[39_999], 1).tolist() == [39_999]
        assert held.nearest(vectors[5], 1).tolist() == [5]

    def test_only_some_forgets_the_others_and_what_was_held_twice(self) -> None:
        vectors = directions(5)
        held = sketches(vectors)
        held.add(np.array([1001], np.int64), vectors[1:2])
        left = held.kept(np.array([1001, 1003, 7], np.int64))
        assert left.numbers.tolist() == [1001, 1003]
        assert left.nearest(vectors[3], 1).tolist() == [1003]
        assert len(held) == 6

    def test_refuses_numbers_that_do_not_fit_the_vectors(self) -> None:
        with pytest.raises(InvalidArray, match="numbers"):
            sketches(directions(3)).add(np.arange(2), directions(3))
