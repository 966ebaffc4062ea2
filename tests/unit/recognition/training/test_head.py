from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from recognition.training import export
from recognition.training.head import Head
from recognition.training.images import Images
from recognition.vision.errors import InvalidArray

VECTORS = np.array([[1, 0, 0], [0, 0.6, 0.8]], np.float32)
HEAD = Head(np.array([[2, 0], [0, 1], [0, 1]], np.float32), np.array([0, 1], np.float32))


def test_the_unchanged_head_leaves_vectors_as_they_are() -> None:
    assert Head.unchanged(3).projected(VECTORS) == pytest.approx(VECTORS)
    assert Head.unchanged(3).projected(np.empty((0, 3), np.float32)).shape == (0, 3)


def test_projected_vectors_have_length_1() -> None:
    # (2, 1) and (0, 2.4).
    expected = [[2 / 5**0.5, 1 / 5**0.5], [0, 1]]
    assert HEAD.projected(VECTORS) == pytest.approx(np.array(expected), abs=1e-6)


def test_the_exported_file_computes_the_same() -> None:
    session = onnxruntime.InferenceSession(export.onnx_of(HEAD), providers=["CPUExecutionProvider"])
    (raw,) = session.run(None, {"vectors": VECTORS})
    assert raw / np.linalg.norm(raw, axis=1, keepdims=True) == pytest.approx(HEAD.projected(VECTORS), abs=1e-6)


def test_arrays_of_another_shape_are_refused() -> None:
    with pytest.raises(InvalidArray):
        Head(HEAD.weight, np.zeros(3, np.float32))
    with pytest.raises(InvalidArray):
        HEAD.projected(np.zeros((1, 2), np.float32))
    with pytest.raises(InvalidArray):
        Images(VECTORS, np.zeros(3, np.int64))


def test_only_people_with_several_images_are_learned_from() -> None:
    images = Images(np.eye(4, dtype=np.float32), np.array([7, 8, 7, 9]))
    assert images.of_several().people.tolist() == [7, 7]
    assert images.of_several().vectors == pytest.approx(np.eye(4)[[0, 2]])
