"""The templates of a whole gallery as arrays, for work that holds everybody against everybody."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
from numpy.typing import NDArray

from recognition.vision.types import require_array


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """The templates that are searched, in the order of their people and samples.

    Args:
        samples: (n,) int64, primary keys.
        people: (n,) int64, whose sample each is; equal ones stand together.
        vectors: (n, d) float32 of unit length, all of one model pack.

    Raises:
        InvalidArray: for arrays of another shape or type.
    """

    samples: NDArray[np.int64]
    people: NDArray[np.int64]
    vectors: NDArray[np.float32]

    def __post_init__(self) -> None:
        require_array("vectors", self.vectors, shape=(None, None), dtype=np.float32)
        require_array("samples", self.samples, shape=(len(self.vectors),), dtype=np.int64)
        require_array("people", self.people, shape=(len(self.vectors),), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def fingerprint(self) -> str:
        """Changes with every sample that comes, goes, is moved to another person, or embedded anew."""
        digest = hashlib.sha256()
        for array in (self.samples, self.people, self.vectors):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()
