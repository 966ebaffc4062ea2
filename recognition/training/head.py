"""A head: a small projection of embeddings, learned so that people are told apart better."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from recognition.training.triplets import Vectors
from recognition.vision.types import require_array


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Head:
    """vector @ weight + bias, brought to length 1.

    Args:
        weight: (d, k) float32.
        bias: (k,) float32.

    Raises:
        InvalidArray: for arrays of another shape or type.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def __post_init__(self) -> None:
        require_array("weight", self.weight, shape=(None, None), dtype=np.float32)
        require_array("bias", self.bias, shape=(self.weight.shape[1],), dtype=np.float32)

    @classmethod
    def unchanged(cls, dimension: int) -> Head:
        """The head that leaves every vector as it is; training begins with it."""
        return cls(np.eye(dimension, dtype=np.float32), np.zeros(dimension, np.float32))

    def projected(self, vectors: Vectors) -> Vectors:
        """(n, k) float32, each row of length 1.

        Args:
            vectors: (n, d) float32, each row of length 1.
        """
        require_array("vectors", vectors, shape=(None, self.weight.shape[0]), dtype=np.float32)
        raw = vectors @ self.weight + self.bias
        return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)
