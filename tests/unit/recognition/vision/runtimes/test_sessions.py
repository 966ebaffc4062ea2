"""Both runtimes keep the promise of `InferenceSession`, on a small network that is made here."""

from __future__ import annotations

import concurrent.futures
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from recognition.vision.interfaces import InferenceSession
from recognition.vision.runtimes import openvino
from recognition.vision.runtimes.onnxruntime import OnnxRuntimeSession, without_prelu
from recognition.vision.runtimes.openvino import OpenVinoSession


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Two outputs: twice the input, and the input plus one."""
    shape: list[str | int | None] = ["n", 3, "height", "width"]
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "two"], ["double"]), helper.make_node("Add", ["x", "one"], ["next"])],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("double", "next")],
        [numpy_helper.from_array(np.array(number, np.float32), name) for name, number in (("two", 2), ("one", 1))],
    )
    path = tmp_path / "small.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.fixture(params=["onnxruntime", "openvino"])
def session(request: pytest.FixtureRequest, network: Path) -> InferenceSession:
    if request.param == "onnxruntime":
        return OnnxRuntimeSession(network)
    return OpenVinoSession(network, precision="float32")


def batch(fill: float, *shape: int) -> np.ndarray:
    return np.full(shape, fill, np.float32)


def test_outputs_come_in_the_order_of_the_file(session: InferenceSession) -> None:
    double, following = session.run(batch(3, 1, 3, 4, 4))
    assert (double[0, 0, 0, 0], following[0, 0, 0, 0]) == (6, 4)


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (5, 3, 4, 4), (1, 3, 8, 2)])
def test_any_shape_is_taken(session: InferenceSession, shape: tuple[int, ...]) -> None:
    assert [output.shape for output in session.run(batch(0, *shape))] == [shape, shape]


def test_an_answer_stays_what_it_was_when_the_next_batch_runs(session: InferenceSession) -> None:
    first, _ = session.run(batch(1, 1, 3, 4, 4))
    session.run(batch(7, 1, 3, 4, 4))
    assert first.max() == 2


def test_threads_get_their_own_answers(session: InferenceSession) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        answers = threads.map(lambda number: session.run(batch(number, 1, 3, 8, 8))[0].max(), range(40))
    assert list(answers) == [2 * number for number in range(40)]


def test_the_runtime_is_named_with_its_version(session: InferenceSession) -> None:
    name, version, device = session.runtime.split()
    assert name in {"onnxruntime", "openvino"}
    assert version[0].isdigit()
    assert device == "CPU"


def test_openvino_keeps_answering_when_it_met_more_shapes_than_it_keeps(
    network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino, "MAX_COMPILED_SHAPES", 2)
    session = OpenVinoSession(network)
    for side in (2, 4, 6, 2, 8, 2, 4):
        assert session.run(batch(1, 1, 3, side, side))[0].shape == (1, 3, side, side)


def activated(slope: np.ndarray) -> onnx.ModelProto:
    """PRelu of three channels."""
    graph = helper.make_graph(
        [helper.make_node("PRelu", ["x", "slope"], ["y"])],
        "activated",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 2, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, 2, 2])],
        [numpy_helper.from_array(slope.astype(np.float32), "slope")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


class TestWithoutPrelu:
    def test_computes_what_prelu_computes(self, tmp_path: Path) -> None:
        model = activated(np.array([0.1, -0.5, 2.0]).reshape(3, 1, 1))
        onnx.save(model, tmp_path / "activated.onnx")
        x = np.linspace(-3, 3, 12, dtype=np.float32).reshape(1, 3, 2, 2)
        (expected,) = OpenVinoSession(tmp_path / "activated.onnx", precision="float32").run(x)
        (computed,) = OnnxRuntimeSession(tmp_path / "activated.onnx").run(x)
        np.testing.assert_allclose(computed, expected, rtol=1e-6)

    def test_leaves_no_prelu_and_none_of_its_weights(self) -> None:
        model = without_prelu(activated(np.ones((3, 1, 1))))
        onnx.checker.check_model(model)
        assert "PRelu" not in {node.op_type for node in model.graph.node}
        assert "slope" not in {value.name for value in model.graph.initializer}

    def test_leaves_what_has_one_slope_for_all_channels(self) -> None:
        model = without_prelu(activated(np.ones(1)))
        assert [node.op_type for node in model.graph.node] == ["PRelu"]
