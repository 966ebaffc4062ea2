"""Sketches of templates: 255 bits and a rough copy of each, by which the few are found that a search compares exactly.

A bit says on which side of a random plane through the mean of all templates a vector lies. Two vectors at an angle
differ in a share of their bits that grows with it, so the templates most like a probe are among those whose bits differ
least. Of these the rough copies tell the nearest. How near exactly, and whether they are to be found at all, is
for whoever has the vectors to say.

Source: Charikar, "Similarity Estimation Techniques from Rounding Algorithms" (STOC 2002), section 3; planes at right
angles to each other after Ji et al., "Super-Bit Locality-Sensitive Hashing" (NIPS 2012).
"""

from __future__ import annotations

import bisect
import functools

import numpy as np
from numpy.typing import NDArray

from recognition.vision.types import require_array

BITS = 255
"""So that a difference fits into a byte. Of a million sketches of 127 bits, hundreds may differ less from a probe's
than that of the nearest template; of 255 bits, hardly ever more than twenty do (ADR 13)."""

LEAST_CLOSE = 4096
CLOSE_SHARE = 128
"""Of so many templates one is compared by its rough copy, and at least `LEAST_CLOSE` are. The nearest of a million is
hardly ever beyond the twentieth place by its bits, but the next person's, which the margin needs, may be beyond the two
thousandth (ADR 13)."""

ROUGH_LIMIT = 127
"""The largest number of a rough copy: it fills a byte."""

_WORD_BITS = 64
_WORDS = -(-BITS // _WORD_BITS)
_ROWS_AT_A_TIME = 16_384
"""Sketches compared in a step: what a step writes stays in a core's cache."""

_FIRST_CAPACITY = 16_384
_SEED = 0

Sketched = NDArray[np.uint64]


class Sketches:
    """The sketches of the templates of one model pack; 44 bytes a template, and one more for each of its numbers.

    One thread may add while others look.

    Args:
        mean: (d,) float32, about that of the vectors: faces share a direction, which tells nobody apart.
    """

    def __init__(self, mean: NDArray[np.float32]) -> None:
        require_array("mean", mean, shape=(None,), dtype=np.float32)
        self._mean = mean
        self._planes = _planes(len(mean))
        self._codes = np.empty((_WORDS, _FIRST_CAPACITY), np.uint64)
        self._numbers = np.empty(_FIRST_CAPACITY, np.int64)
        self._rough = np.empty((_FIRST_CAPACITY, len(mean)), np.int8)
        self._scales = np.empty(_FIRST_CAPACITY, np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(n,) int64, of which templates, in the order in which they came."""
        return self._numbers[: self._count]

    def add(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Takes in templates; one that comes again is held twice.

        Args:
            numbers: (n,) int64, by which they are told.
            vectors: (n, d) float32.

        Raises:
            InvalidArray: for arrays of another shape or type.
        """
        require_array("vectors", vectors, shape=(None, len(self._mean)), dtype=np.float32)
        require_array("numbers", numbers, shape=(len(vectors),), dtype=np.int64)
        scales = np.abs(vectors).max(axis=1, initial=np.finfo(np.float32).tiny) / ROUGH_LIMIT
        rough = np.rint(vectors / scales[:, None]).astype(np.int8)
        self._append(numbers, self._sketched(vectors), rough, scales)

    def kept(self, numbers: NDArray[np.int64]) -> Sketches:
        """A copy without what is not named; each is held once.

        Args:
            numbers: (n,) int64, of the templates that stay.
        """
        copy = Sketches(self._mean)
        held, first = np.unique(self.numbers, return_index=True)
        stays = first[np.isin(held, numbers)]
        copy._append(self._numbers[stays], self._codes[:, stays], self._rough[stays], self._scales[stays])
        return copy

    def nearest(self, vector: NDArray[np.float32], most: int) -> NDArray[np.int64]:
        """The templates that are most like a probe, by their rough copies; nearly always these.

        Args:
            vector: (d,) float32, the probe.
            most: how many.

        Returns:
            (n,) int64 numbers, in no order; fewer than `most` where there are fewer.

        Raises:
            InvalidArray: for a probe of another shape or type.
        """
        require_array("vector", vector, shape=(len(self._mean),), dtype=np.float32)
        # The count first: whoever adds meanwhile writes behind it, or into larger arrays that begin alike.
        count = self._count
        numbers, rough, scales = self._numbers, self._rough, self._scales
        if count <= most:
            return numbers[:count].copy()
        close = self._close(count, vector, max(LEAST_CLOSE, count // CLOSE_SHARE, most))
        similarities = (rough[close].astype(np.float32) @ vector) * scales[close]
        return numbers[close[np.argpartition(similarities, -most)[-most:]]]

    def _close(self, count: int, vector: NDArray[np.float32], least: int) -> NDArray[np.intp]:
        """Places of those of the first `count` templates whose bits differ least from a probe's; at least so many."""
        if count <= least:
            return np.arange(count)
        differing = _differing(self._codes[:, :count], self._sketched(vector[None])[:, 0])
        limit = bisect.bisect_left(range(BITS), least, key=lambda bits: int(np.count_nonzero(differing <= bits)))
        return np.flatnonzero(differing <= limit)

    def _sketched(self, vectors: NDArray[np.float32]) -> Sketched:
        """(words, n) uint64."""
        sides = (vectors - self._mean) @ self._planes > 0
        return np.ascontiguousarray(np.packbits(sides, axis=1).view(np.uint64).T)

    def _append(
        self, numbers: NDArray[np.int64], codes: Sketched, rough: NDArray[np.int8], scales: NDArray[np.float32]
    ) -> None:
        begin, end = self._count, self._count + len(numbers)
        if end > len(self._numbers):
            self._make_room(max(end, 2 * len(self._numbers)))
        self._codes[:, begin:end] = codes
        self._numbers[begin:end], self._rough[begin:end], self._scales[begin:end] = numbers, rough, scales
        self._count = end

    def _make_room(self, capacity: int) -> None:
        codes = np.empty((_WORDS, capacity), np.uint64)
        codes[:, : self._count] = self._codes[:, : self._count]
        numbers, rough, scales = (
            np.empty((capacity, *held.shape[1:]), held.dtype) for held in (self._numbers, self._rough, self._scales)
        )
        numbers[: self._count], rough[: self._count] = self.numbers, self._rough[: self._count]
        scales[: self._count] = self._scales[: self._count]
        self._codes, self._numbers, self._rough, self._scales = codes, numbers, rough, scales


@functools.lru_cache(maxsize=4)
def _planes(dimension: int) -> NDArray[np.float32]:
    """(d, BITS) float32, directions in sets at right angles to each other."""
    random = np.random.default_rng(_SEED)
    sets = -(-BITS // dimension)
    bases = [np.linalg.qr(random.standard_normal((dimension, dimension)))[0] for _ in range(sets)]
    return np.hstack(bases)[:, :BITS].astype(np.float32)


def _differing(codes: Sketched, probe: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """(n,) in how many bits each sketch differs."""
    count = codes.shape[1]
    differing = np.empty(count, np.uint8)
    word, bits = np.empty(_ROWS_AT_A_TIME, np.uint64), np.empty(_ROWS_AT_A_TIME, np.uint8)
    for begin in range(0, count, _ROWS_AT_A_TIME):
        rows = slice(begin, min(begin + _ROWS_AT_A_TIME, count))
        height = rows.stop - begin
        total = differing[rows]
        total[:] = 0
        for row, searched in zip(codes, probe, strict=True):
            np.bitwise_xor(row[rows], searched, out=word[:height])
            np.bitwise_count(word[:height], out=bits[:height])
            np.add(total, bits[:height], out=total)
    return differing
