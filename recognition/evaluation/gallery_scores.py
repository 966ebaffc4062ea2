"""How well a gallery tells its own people apart: every sample held against every other one, block by block.

Nothing but the gallery is needed. Two samples of one person are a mated comparison, two of different people a
non-mated one; a sample that is searched among everybody else's is a stranger to that gallery, and one that is searched
among all samples but itself is an enrolled person. What is counted fits into bins whatever the gallery's size, and the
counts at the edges of the bins are exact. Terms are those of ISO/IEC 19795-1.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.vision.templates import Templates

BLOCK_ROWS = 1024
"""Samples held against all others in a step, in tiles of about 1024 x 1024 float32: 4 MB."""

EDGES: NDArray[np.float64] = np.arange(-1000, 1001) / 1000
"""Lower ends of the bins, a thousandth apart: thresholds that people type. The last bin is that of equal vectors."""

BINS = len(EDGES)

MOST_PAIRS = 20
"""Non-mated comparisons that are kept, one for each two people; those with the highest similarity."""

Counts = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class NonMatedPair:
    """The most similar samples of two people.

    Args:
        people: both, the smaller primary key first.
        samples: one of each, in the order of `people`.
        similarity: between them, -1..1.
    """

    people: tuple[int, int]
    samples: tuple[int, int]
    similarity: float


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What was counted; sums of blocks are the counts of the gallery.

    Args:
        mated: (BINS,) int64, comparisons of one person by their similarity.
        non_mated: (BINS,) int64, those of two people.
        strangers: (BINS,) int64, samples by the similarity of the closest person but their own.
        strangers_named: (BINS,) int64, those whose closest person is ahead of the next by the margin.
        owners_named: (BINS,) int64, samples whose own person is the closest, by the margin, when they are searched
            among all samples but themselves; by the similarity of the person's closest sample.
        stranger_searches: samples that were searched with their person left out.
        owner_searches: samples whose person has another one.
        pairs: the most similar two people, the most similar first, `MOST_PAIRS` at most.
    """

    mated: Counts
    non_mated: Counts
    strangers: Counts
    strangers_named: Counts
    owners_named: Counts
    stranger_searches: int = 0
    owner_searches: int = 0
    pairs: tuple[NonMatedPair, ...] = ()

    @classmethod
    def nothing(cls) -> Tally:
        """No comparison yet."""
        mated, non_mated, strangers, named, owned = (np.zeros(BINS, np.int64) for _ in _COUNTED)
        return cls(mated, non_mated, strangers, named, owned)

    @classmethod
    def of_pairs(cls, mated: Counts, non_mated: Counts) -> Tally:
        """Comparisons alone: nothing was searched.

        Args:
            mated: (BINS,) int64, see `binned`.
            non_mated: (BINS,) int64.
        """
        return dataclasses.replace(cls.nothing(), mated=mated, non_mated=non_mated)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            **{name: getattr(self, name) + getattr(other, name) for name in _COUNTED},
            stranger_searches=self.stranger_searches + other.stranger_searches,
            owner_searches=self.owner_searches + other.owner_searches,
            pairs=highest((*self.pairs, *other.pairs)),
        )

    @classmethod
    def of_pairs_from_json(cls, kept: Mapping[str, Any]) -> Tally:
        """The inverse of `pairs_as_json`.

        Raises:
            LookupError, TypeError, ValueError: when it is something else.
        """
        return cls.of_pairs(_dense(kept["mated"]), _dense(kept["non_mated"]))

    def pairs_as_json(self) -> dict[str, Any]:
        """The comparisons alone, for keeping."""
        return {"mated": _sparse(self.mated), "non_mated": _sparse(self.non_mated)}

    def as_json(self) -> dict[str, Any]:
        """For keeping: counts as lists of numbers, from the first bin that has any."""
        return {
            **{name: _sparse(getattr(self, name)) for name in _COUNTED},
            "stranger_searches": self.stranger_searches,
            "owner_searches": self.owner_searches,
            "pairs": [[*pair.people, *pair.samples, pair.similarity] for pair in self.pairs],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Tally:
        """The inverse of `as_json`."""
        pairs = (
            NonMatedPair((one, other), (sample, other_sample), similarity)
            for one, other, sample, other_sample, similarity in kept["pairs"]
        )
        return cls(
            **{name: _dense(kept[name]) for name in _COUNTED},
            stranger_searches=kept["stranger_searches"],
            owner_searches=kept["owner_searches"],
            pairs=tuple(pairs),
        )


_NOBODY = np.float32(-9.0)
"""Stands for the similarity of nobody: so far below every other one that it leaves more than any margin."""

_COUNTED = ("mated", "non_mated", "strangers", "strangers_named", "owners_named")


def at_or_above(counts: Counts) -> Counts:
    """(BINS,) how many of the counted similarities reach each edge."""
    return np.cumsum(counts[::-1])[::-1].astype(np.int64)


def highest(pairs: Iterable[NonMatedPair]) -> tuple[NonMatedPair, ...]:
    """The most similar ones, the most similar first, each two people once, `MOST_PAIRS` at most."""
    best: dict[tuple[int, int], NonMatedPair] = {}
    for pair in pairs:
        known = best.get(pair.people)
        if known is None or pair.similarity > known.similarity:
            best[pair.people] = pair
    return tuple(heapq.nsmallest(MOST_PAIRS, best.values(), key=lambda pair: (-pair.similarity, pair.people)))


def block_count(templates: Templates, block_rows: int = BLOCK_ROWS) -> int:
    """How many steps the measurement has."""
    return len(list(_tiles(templates, block_rows)))


def measure(templates: Templates, block: int, *, margin: float, block_rows: int = BLOCK_ROWS) -> Tally:
    """Counts what one block of templates says against all; each comparison in one block only.

    Args:
        templates: all of them.
        block: which block, from 0.
        margin: least lead over the next person with which a search names somebody, 0..2.
        block_rows: templates a block; changes speed and memory, never the sum of all blocks.
    """
    tiles = list(_tiles(templates, block_rows))
    rows = tiles[block]
    search = _Searches(rows.stop - rows.start)
    mated, non_mated = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
    pairs: tuple[NonMatedPair, ...] = ()
    for columns in tiles:
        scores = templates.vectors[rows] @ templates.vectors[columns].T
        search.take(templates.people[rows], templates.people[columns], scores, is_own_tile=columns == rows)
        if columns == rows:
            same = templates.people[rows][:, None] == templates.people[columns][None, :]
            later = np.triu(np.ones(scores.shape, np.bool_), k=1)
            mated += binned(scores[same & later])
            non_mated += binned(scores[~same & later])
            scores[same | ~later] = -np.inf
        elif columns.start > rows.start:
            non_mated += binned(scores.ravel())
        else:
            continue  # counted when those were the rows
        pairs = highest((*pairs, *_closest(templates, rows, columns, scores, beyond=_floor(pairs))))
    return Tally(mated, non_mated, *search.counts(margin), pairs)


def _tiles(templates: Templates, rows: int) -> Iterator[slice]:
    """The templates in tiles of about so many, none of which parts those of a person."""
    people = templates.people
    ends = [*np.flatnonzero(np.diff(people)) + 1, len(people)] if len(people) else []
    begin = 0
    for end in map(int, ends):
        if end - begin >= rows or end == len(people):
            yield slice(begin, end)
            begin = end


class _Searches:
    """The two most similar other people of each row, and the most similar other sample of its own person."""

    def __init__(self, rows: int) -> None:
        self._first, self._second, self._own = (np.full(rows, _NOBODY) for _ in range(3))

    def take(
        self,
        people: NDArray[np.int64],
        columns: NDArray[np.int64],
        scores: NDArray[np.float32],
        *,
        is_own_tile: bool,
    ) -> None:
        starts = np.flatnonzero(np.diff(columns, prepend=-1))
        if is_own_tile:
            scores = scores.copy()
            np.fill_diagonal(scores, _NOBODY)  # a sample is not searched among itself
        best = np.maximum.reduceat(scores, starts, axis=1)
        if is_own_tile:
            own = np.searchsorted(columns[starts], people)
            rows = np.arange(len(people))
            self._own = best[rows, own]
            best[rows, own] = _NOBODY
        # Nobody's samples are parted by a tile, so two of these scores are never of one person.
        known = np.concatenate([best, self._first[:, None], self._second[:, None]], axis=1)
        top = np.partition(known, -2, axis=1)
        self._first, self._second = top[:, -1], top[:, -2]

    def counts(self, margin: float) -> tuple[Counts, Counts, Counts, int, int]:
        others, has_own = self._first > _NOBODY, self._own > _NOBODY
        named = self._first[others & (self._first - self._second >= margin)]
        lead = self._own - self._first
        # Of two people as similar a search names the one that was enrolled first: here that is nobody's own person.
        owned = self._own[has_own & (lead > 0) & (lead >= margin)]
        strangers = self._first[others]
        return binned(strangers), binned(named), binned(owned), int(others.sum()), int(has_own.sum())


def _floor(pairs: Sequence[NonMatedPair]) -> float:
    """What a comparison must exceed to be kept beside those."""
    return pairs[-1].similarity if len(pairs) == MOST_PAIRS else -np.inf


def _closest(
    templates: Templates, rows: slice, columns: slice, scores: NDArray[np.float32], *, beyond: float
) -> Sequence[NonMatedPair]:
    """The most similar comparison of each two people of a tile, the most similar first; `scores` is used up."""
    found: list[NonMatedPair] = []
    people = templates.people
    while len(found) < MOST_PAIRS:
        above, right = np.unravel_index(int(scores.argmax()), scores.shape)
        similarity = float(scores[above, right])
        if not similarity > beyond:
            break
        one, other = rows.start + int(above), columns.start + int(right)
        (first, first_sample), (second, second_sample) = sorted(
            (int(people[each]), int(templates.samples[each])) for each in (one, other)
        )
        # Rounding may take the product of two equal vectors above 1.
        found.append(NonMatedPair((first, second), (first_sample, second_sample), min(similarity, 1.0)))
        scores[
            np.ix_(
                templates.people[rows] == templates.people[one], templates.people[columns] == templates.people[other]
            )
        ] = -np.inf
    return found


def binned(similarities: NDArray[np.float32]) -> Counts:
    """(BINS,) int64: how many similarities lie in each bin, exact at the edges.

    Args:
        similarities: (n,) float32.
    """
    bins = np.searchsorted(EDGES, similarities.astype(np.float64), side="right") - 1
    # Rounding may take the product of opposite vectors below -1.
    return np.bincount(np.maximum(bins, 0), minlength=BINS).astype(np.int64)


def _sparse(counts: Counts) -> dict[str, Any]:
    filled = np.flatnonzero(counts)
    if len(filled) == 0:
        return {"first": 0, "counts": []}
    return {"first": int(filled[0]), "counts": counts[filled[0] : filled[-1] + 1].tolist()}


def _dense(kept: Mapping[str, Any]) -> Counts:
    counts = np.zeros(BINS, np.int64)
    counts[kept["first"] : kept["first"] + len(kept["counts"])] = kept["counts"]
    return counts
