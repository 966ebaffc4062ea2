from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recognition.vision.errors import InvalidArray
from recognition.vision.templates import Templates


def templates(**changes: Any) -> Templates:
    values: dict[str, Any] = {
        "samples": np.array([1, 2], np.int64),
        "people": np.array([1, 1], np.int64),
        "vectors": np.eye(2, dtype=np.float32),
    }
    return Templates(**{**values, **changes})


def test_there_may_be_none() -> None:
    none = np.empty(0, np.int64)
    assert len(templates(samples=none, people=none, vectors=np.empty((0, 4), np.float32))) == 0


@pytest.mark.parametrize("name", ["samples", "people", "vectors"])
def test_arrays_of_another_shape_or_type_are_refused(name: str) -> None:
    for wrong in (np.zeros(3, np.int64), np.zeros(2, np.float64)):
        with pytest.raises(InvalidArray, match=f"{name}: expected|vectors: expected"):
            templates(**{name: wrong})


@pytest.mark.parametrize(
    "change",
    [
        {"samples": np.array([1, 3], np.int64)},
        {"people": np.array([1, 2], np.int64)},
        {"vectors": np.eye(2, dtype=np.float32)[::-1]},
    ],
)
def test_the_fingerprint_changes_with_every_array(change: dict[str, Any]) -> None:
    assert templates().fingerprint == templates().fingerprint != templates(**change).fingerprint
