"""Embeddings that are learned from or judged by, and whose they are."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from recognition.training.triplets import Vectors
from recognition.vision.types import require_array


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Embeddings of images.

    Args:
        vectors: (n, d) float32, each row of length 1.
        people: (n,) int64, equal numbers for images of one person.

    Raises:
        InvalidArray: for arrays of another shape or type.
    """

    vectors: Vectors
    people: NDArray[np.int64]

    def __post_init__(self) -> None:
        require_array("vectors", self.vectors, shape=(None, None), dtype=np.float32)
        require_array("people", self.people, shape=(len(self.vectors),), dtype=np.int64)

    def of_several(self) -> Images:
        """The images of people who have two or more."""
        _, places, counts = np.unique(self.people, return_inverse=True, return_counts=True)
        several = counts[places] > 1
        return Images(self.vectors[several], self.people[several])
