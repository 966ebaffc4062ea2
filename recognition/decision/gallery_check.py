"""What is wrong with a gallery: people who would be taken for each other, samples that do not fit, samples twice.

Twenty thousand templates are two hundred million pairs: they are compared block by block, and only what is worth
telling is kept. Each block is a step by itself, so that long work can stop after any of them and go on later.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.vision.templates import Templates

BLOCK_ROWS = 1024
"""Templates compared with all later ones in a step, in tiles of 1024 x 1024 float32: 4 MB."""

MOST_PAIRS = 10_000
"""Confusable pairs of people that are kept; of more, those with the highest similarity."""


@dataclasses.dataclass(frozen=True, slots=True)
class ConfusablePair:
    """Two people with samples as like each other as two samples of one person.

    Args:
        people: both, the smaller primary key first.
        samples: the most similar one of each, in the order of `people`.
        similarity: between those two, -1..1.
    """

    people: tuple[int, int]
    samples: tuple[int, int]
    similarity: float


@dataclasses.dataclass(frozen=True, slots=True)
class OwnOutlier:
    """A sample that none of the person's other samples is like.

    Args:
        person: whose it is.
        sample: which one.
        similarity: to the most similar one of the others, -1..1.
    """

    person: int
    sample: int
    similarity: float


@dataclasses.dataclass(frozen=True, slots=True)
class Duplicate:
    """Two samples of one person that are nearly the same picture.

    Args:
        person: whose they are.
        samples: both, the smaller primary key first.
        similarity: between them, -1..1.
    """

    person: int
    samples: tuple[int, int]
    similarity: float


def block_count(templates: Templates, block_rows: int = BLOCK_ROWS) -> int:
    """How many blocks the comparison of different people has."""
    return -(-len(templates) // block_rows)


def confusable(
    templates: Templates, block: int, threshold: float, block_rows: int = BLOCK_ROWS
) -> tuple[ConfusablePair, ...]:
    """The pairs of people that one block of templates and all later ones confuse, each pair of people once.

    Args:
        templates: all of them.
        block: which block, from 0.
        threshold: similarity from which two people are confused, -1..1; the threshold of a verification.
        block_rows: templates a block.
    """
    top = block * block_rows
    found: tuple[ConfusablePair, ...] = ()
    for left in range(top, len(templates), block_rows):
        rows, columns = slice(top, top + block_rows), slice(left, left + block_rows)
        found = merged(found, _confusable_in(templates, rows, columns, threshold))
    return found


def merged(one: Iterable[ConfusablePair], other: Iterable[ConfusablePair]) -> tuple[ConfusablePair, ...]:
    """Both, with the higher similarity where a pair is in each; the most similar first, `MOST_PAIRS` at most."""
    best: dict[tuple[int, int], ConfusablePair] = {}
    for pair in (*one, *other):
        known = best.get(pair.people)
        if known is None or pair.similarity > known.similarity:
            best[pair.people] = pair
    return tuple(sorted(best.values(), key=lambda pair: (-pair.similarity, pair.people)))[:MOST_PAIRS]


def own_outliers(templates: Templates, threshold: float) -> tuple[OwnOutlier, ...]:
    """Samples that a verification would not confirm by any other sample of the same person; the least similar first.

    Somebody with a single sample has none to be compared with. Of two samples that are not like each other, both are
    told: nothing says which of the two is wrong.

    Args:
        templates: all of them.
        threshold: similarity from which two samples are of one person, -1..1; the threshold of a verification.
    """
    found = []
    for rows, scores in _own(templates):
        np.fill_diagonal(scores, -np.inf)
        best = scores.max(axis=1)
        for row in np.flatnonzero(best < threshold):
            place = rows.start + int(row)
            found.append(
                OwnOutlier(int(templates.people[place]), int(templates.samples[place]), _similarity(best[row]))
            )
    return tuple(sorted(found, key=lambda outlier: (outlier.similarity, outlier.sample)))


def duplicates(templates: Templates, threshold: float) -> tuple[Duplicate, ...]:
    """Pairs of samples of one person that are nearly the same picture; the most similar first.

    Args:
        templates: all of them.
        threshold: similarity from which two samples say the same, -1..1.
    """
    found = []
    for rows, scores in _own(templates):
        for one, other in zip(*np.nonzero(np.triu(scores >= threshold, k=1)), strict=True):
            pair = templates.samples[rows][[one, other]]
            found.append(
                Duplicate(
                    int(templates.people[rows.start]),
                    (int(pair.min()), int(pair.max())),
                    _similarity(scores[one, other]),
                )
            )
    return tuple(sorted(found, key=lambda duplicate: (-duplicate.similarity, duplicate.samples)))


def _own(templates: Templates) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """The rows of each person with two samples or more, and how like each other these are."""
    starts = np.flatnonzero(np.diff(templates.people, prepend=-1))
    for start, end in itertools.pairwise([*starts.tolist(), len(templates)]):
        if end - start > 1:
            rows = slice(start, end)
            yield rows, templates.vectors[rows] @ templates.vectors[rows].T


def _confusable_in(templates: Templates, rows: slice, columns: slice, threshold: float) -> Sequence[ConfusablePair]:
    scores = templates.vectors[rows] @ templates.vectors[columns].T
    hits = (scores >= threshold) & (templates.people[rows][:, None] != templates.people[columns][None, :])
    if rows.start == columns.start:
        hits = np.triu(hits, k=1)
    above, right = np.nonzero(hits)
    similarities = scores[above, right]
    above, right = above + rows.start, right + columns.start
    # The most similar samples of each pair of people: sorted by pair, then falling; the first of each pair is kept.
    pairs = np.sort(np.stack([templates.people[above], templates.people[right]]), axis=0)
    order = np.lexsort((-similarities, pairs[1], pairs[0]))
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = np.any(pairs[:, order[1:]] != pairs[:, order[:-1]], axis=0)
    return [_pair(templates, int(above[hit]), int(right[hit]), similarities[hit]) for hit in order[is_first]]


def _pair(templates: Templates, one: int, other: int, similarity: np.float32) -> ConfusablePair:
    (first, first_sample), (second, second_sample) = sorted(
        (int(templates.people[place]), int(templates.samples[place])) for place in (one, other)
    )
    return ConfusablePair((first, second), (first_sample, second_sample), _similarity(similarity))


def _similarity(value: np.float32) -> float:
    # Rounding may take the product of two equal vectors above 1.
    return min(float(value), 1.0)
