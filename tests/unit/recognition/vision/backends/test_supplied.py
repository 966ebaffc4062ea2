"""Models of three numbers a face: the mean of each channel, as the model is fed with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from recognition.vision.alignment import Cut
from recognition.vision.backends import supplied
from recognition.vision.backends.supplied import SuppliedEmbedder
from recognition.vision.errors import InvalidArray, PackInvalid
from recognition.vision.model_packs import Feed

SIDE = 32
FEED = Feed(Cut(SIDE), "RGB", mean=(1.0, 2.0, 3.0), std=(2.0, 4.0, 8.0), layout=None, dimension=3)
BGR = np.array([10, 20, 30], np.uint8)


def saved(
    path: Path,
    shape: Sequence[int | str],
    *,
    axes: Sequence[int] = (2, 3),
    then: Sequence[onnx.NodeProto] = (),
    output: str = "mean",
    input_type: int = TensorProto.FLOAT,
    more_inputs: Sequence[onnx.ValueInfoProto] = (),
) -> Path:
    """A model that takes such an input and means over axes; what follows may make something else of that."""
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=0), *then],
        "means",
        [helper.make_tensor_value_info("x", input_type, shape), *more_inputs],
        [helper.make_tensor_value_info(output, input_type, None)],
        [numpy_helper.from_array(np.array(axes, np.int64), "axes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def loaded(path: Path, **changes: Any) -> SuppliedEmbedder:
    return supplied.loaded(path, dataclasses.replace(FEED, **changes), threads=1, accelerator=None)


def crops(count: int) -> np.ndarray:
    """Of one colour each, every one brighter than the last."""
    return np.stack([np.full((SIDE, SIDE, 3), BGR + 10 * number, np.uint8) for number in range(count)])


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        (["n", 3, SIDE, SIDE], (2, 3)),
        (["n", 3, "h", "w"], (2, 3)),
        ([1, 3, SIDE, SIDE], (2, 3)),
        (["n", SIDE, SIDE, 3], (1, 2)),
        (["n", "h", "w", 3], (1, 2)),
    ],
)
@pytest.mark.parametrize("channels", ["RGB", "BGR"])
def test_feeds_a_model_in_the_layout_that_it_has_and_as_the_manifest_says(
    tmp_path: Path, shape: Sequence[int | str], axes: Sequence[int], channels: str
) -> None:
    embedder = loaded(saved(tmp_path / "a.onnx", shape, axes=axes), channels=channels)
    given = BGR[::-1] if channels == "RGB" else BGR
    expected = [(given + 10.0 * number - FEED.mean) / FEED.std for number in range(3)]
    np.testing.assert_allclose(embedder.embed(crops(3)), expected, rtol=1e-5)
    assert embedder.embed(crops(3)).dtype == np.float32
    assert embedder.runtime.startswith("onnxruntime")


def test_a_layout_that_the_model_does_not_tell_is_taken_from_the_manifest(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.onnx", ["n", "a", "b", "c"], axes=(1, 2))
    with pytest.raises(PackInvalid, match='does not say where its channels are: add layout = "NCHW" or "NHWC"'):
        loaded(path)
    assert loaded(path, layout="NHWC").embed(crops(1)).shape == (1, 3)


def test_inputs_that_nothing_uses_or_that_have_a_value_do_no_harm(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    more = [
        helper.make_tensor_value_info("is_training", TensorProto.BOOL, []),
        helper.make_tensor_value_info("axes", TensorProto.INT64, [2]),
    ]
    path = saved(tmp_path / "a.onnx", ["n", 3, SIDE, SIDE], more_inputs=more)
    assert loaded(path).embed(crops(1)).shape == (1, 3)
    assert capfd.readouterr().err == ""


def test_crops_of_another_size_are_refused(tmp_path: Path) -> None:
    embedder = loaded(saved(tmp_path / "a.onnx", ["n", 3, SIDE, SIDE]))
    with pytest.raises(InvalidArray, match="crops_bgr"):
        embedder.embed(np.zeros((1, 112, 112, 3), np.uint8))


NODE = helper.make_node


@pytest.mark.parametrize(
    ("model", "changes", "said"),
    [
        ({"shape": ["n", 3, 64, 64]}, {}, r"says an input of NCHW \(n, 3, 32, 32\) or NHWC .*takes \(\?, 3, 64, 64\)"),
        ({"shape": ["n", 3, SIDE, SIDE]}, {"layout": "NHWC"}, r"says an input of NHWC \(n, 32, 32, 3\), the model"),
        ({"shape": ["n", 1, SIDE, SIDE]}, {}, r"the model takes \(\?, 1, 32, 32\)"),
        ({"shape": [8, 3, SIDE, SIDE]}, {}, r"the first of any length or 1, got \(8, 3, 32, 32\)"),
        ({"shape": ["n", 3], "axes": [1]}, {}, r"expected an input of four axes.*got \(\?, 3\)"),
        ({"shape": ["n", 3, SIDE, SIDE]}, {"dimension": 512}, r"should give an output of \(2, 512\), got \(2, 3\)"),
        ({"shape": ["n", 3, SIDE, SIDE], "axes": [3]}, {}, r"got \(2, 3, 32\)"),
        ({"shape": ["n", 3, SIDE, SIDE], "axes": [0, 2, 3]}, {}, r"got \(3\)"),
        ({"shape": ["n", 3, SIDE, SIDE], "input_type": TensorProto.FLOAT16}, {}, "of float32, got float16"),
        (
            {
                "shape": ["n", 3, SIDE, SIDE],
                "more_inputs": [helper.make_tensor_value_info("bias", TensorProto.FLOAT, [3])],
                "then": [NODE("Add", ["mean", "bias"], ["y"])],
                "output": "y",
            },
            {},
            "one input and one output, got 2 and 1",
        ),
        (
            {
                "shape": ["n", 3, SIDE, SIDE],
                "then": [NODE("Sub", ["mean", "mean"], ["zero"]), NODE("Div", ["zero", "zero"], ["y"])],
                "output": "y",
            },
            {},
            "have no direction: they are not finite, or zero",
        ),
        (
            {"shape": ["n", 3, SIDE, SIDE], "then": [NODE("NoSuch", ["mean"], ["y"])], "output": "y"},
            {},
            "cannot be run by ONNX Runtime: .*NoSuch",
        ),
        (
            {
                "shape": ["n", 3, SIDE, SIDE],
                "then": [NODE("Cast", ["mean"], ["y"], to=TensorProto.DOUBLE)],
                "output": "y",
            },
            {},
            "cannot be run by ONNX Runtime",
        ),
    ],
)
def test_a_model_that_is_not_what_the_manifest_says_is_named_in_one_line(
    tmp_path: Path, model: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    path = saved(tmp_path / "a.onnx", **model)
    with pytest.raises(PackInvalid, match=said) as refused:
        loaded(path, **changes)
    assert str(path) in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x09\x12\x04abcd\x3a\x7f"])
def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(PackInvalid, match=r"a\.onnx"):
        loaded(tmp_path / "a.onnx")


def test_weights_in_another_file_are_refused_because_no_digest_covers_them(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.onnx", ["n", 3, SIDE, SIDE])
    onnx.save_model(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(PackInvalid, match="keeps weights in other files"):
        loaded(path)
