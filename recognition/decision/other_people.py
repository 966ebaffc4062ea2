"""Faces of people who are not enrolled: what a classifier learns as its class of other people."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from recognition.decision.classifiers import MADE_UP, Numbers, Vectors
from recognition.vision.templates import Templates
from recognition.vision.types import require_array

BLOCK_ROWS = 1024
"""Faces compared with the gallery at a time."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class OtherPeople:
    """Faces of other people.

    Args:
        vectors: (n, d) float32 of unit length, all of one model pack.
        sources: (n,) int64, unknown faces; `MADE_UP` for those that are nobody's.
        groups: (n,) int64, equal for faces of one person, as far as that is known.
        told: (n,) bool, of whom somebody said that they are nobody of interest.

    Raises:
        InvalidArray: for arrays of another shape or type.
    """

    vectors: Vectors
    sources: Numbers
    groups: Numbers
    told: NDArray[np.bool_]

    def __post_init__(self) -> None:
        require_array("vectors", self.vectors, shape=(None, None), dtype=np.float32)
        require_array("sources", self.sources, shape=(len(self.vectors),), dtype=np.int64)
        require_array("groups", self.groups, shape=(len(self.vectors),), dtype=np.int64)
        require_array("told", self.told, shape=(len(self.vectors),), dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def seen(self) -> int:
        """How many were seen by a camera."""
        return int((self.sources != MADE_UP).sum())

    def only(self, chosen: NDArray[np.bool_]) -> OtherPeople:
        """Some of them."""
        return OtherPeople(self.vectors[chosen], self.sources[chosen], self.groups[chosen], self.told[chosen])

    def and_made_up(self, vectors: Vectors) -> OtherPeople:
        """Them, and people who do not exist.

        Args:
            vectors: (m, d) float32 of unit length, one of each.
        """
        new = len(vectors)
        return OtherPeople(
            np.concatenate([self.vectors, vectors]),
            np.concatenate([self.sources, np.full(new, MADE_UP)]),
            # Below every number of the database and each for itself.
            np.concatenate([self.groups, -1 - np.arange(new)]),
            np.concatenate([self.told, np.zeros(new, np.bool_)]),
        )

    def not_in(self, gallery: Templates, threshold: float) -> OtherPeople:
        """Without those who may be enrolled, by now or all along: else a classifier would learn to refuse them.

        Args:
            gallery: who is enrolled.
            threshold: similarity from which a face may be somebody's, -1..1. Pass that of a claim, which is the lower
                one. Who was told to be nobody of interest stays.
        """
        closest = np.full(len(self), -np.inf, np.float32)
        if len(gallery):
            for begin in range(0, len(self), BLOCK_ROWS):
                similarities = self.vectors[begin : begin + BLOCK_ROWS] @ gallery.vectors.T
                closest[begin : begin + BLOCK_ROWS] = similarities.max(axis=1)
        return self.only(self.told | (closest < threshold))
