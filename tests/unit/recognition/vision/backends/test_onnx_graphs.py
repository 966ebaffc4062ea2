from __future__ import annotations

import numpy as np
import onnx
import onnx.reference
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from recognition.vision.backends import onnx_graphs


@pytest.fixture
def quantised() -> onnx.ModelProto:
    """y = x @ transpose(dequantise(w)) + bias, with the weights listed as inputs too."""
    weights = numpy_helper.from_array(np.array([[10, -20], [30, 40], [5, 6]], np.int8), "w")
    scale = numpy_helper.from_array(np.array(0.5, np.float32), "scale")
    zero = numpy_helper.from_array(np.array(2, np.int8), "zero")
    bias = numpy_helper.from_array(np.array([1, 2, 3], np.float32), "bias")
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "scale", "zero"], ["float_w"]),
        helper.make_node("Transpose", ["float_w"], ["turned"]),
        helper.make_node("MatMul", ["x", "turned"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "quantised",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2]),
            helper.make_tensor_value_info("bias", TensorProto.FLOAT, [3]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        [weights, scale, zero, bias],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)])


def computed(model: onnx.ModelProto, x: NDArray[np.float32]) -> NDArray[np.float32]:
    outputs = list(onnx.reference.ReferenceEvaluator(model).run(None, {"x": x}))
    return np.asarray(outputs[0])


class TestFoldConstants:
    def test_keeps_what_the_network_computes(self, quantised: onnx.ModelProto) -> None:
        x = np.array([[3, 4]], np.float32)
        before = computed(quantised, x)
        onnx_graphs.fold_constants(quantised)
        onnx.checker.check_model(quantised)
        np.testing.assert_allclose(computed(quantised, x), before, rtol=1e-6)

    def test_leaves_only_the_nodes_that_depend_on_the_input(self, quantised: onnx.ModelProto) -> None:
        onnx_graphs.fold_constants(quantised)
        assert [node.op_type for node in quantised.graph.node] == ["MatMul", "Add"]
        assert {value.name for value in quantised.graph.initializer} == {"turned", "bias"}

    def test_a_second_time_changes_nothing(self, quantised: onnx.ModelProto) -> None:
        onnx_graphs.fold_constants(quantised)
        once = quantised.SerializeToString()
        onnx_graphs.fold_constants(quantised)
        assert quantised.SerializeToString() == once


def test_only_the_named_input_is_left(quantised: onnx.ModelProto) -> None:
    onnx_graphs.only_input(quantised, "x")
    assert [value.name for value in quantised.graph.input] == ["x"]


def test_a_freed_dimension_takes_any_length(quantised: onnx.ModelProto) -> None:
    onnx_graphs.only_input(quantised, "x")
    onnx_graphs.free_dimensions(quantised, axis_0="batch")
    assert quantised.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert computed(quantised, np.ones((4, 2), np.float32)).shape == (4, 3)


def convolution(source: str, name: str, weights: NDArray[np.float32], group: int = 1) -> list[object]:
    size = weights.shape[-1]
    return [
        helper.make_node(
            "Conv",
            [source, f"{name}_w", f"{name}_b"],
            [name],
            group=group,
            kernel_shape=[size, size],
            pads=[size // 2] * 4,
        ),
        numpy_helper.from_array(weights, f"{name}_w"),
        numpy_helper.from_array(np.arange(len(weights), dtype=np.float32), f"{name}_b"),
    ]


@pytest.fixture
def two_heads() -> onnx.ModelProto:
    """Two heads, of one and two channels, of the same three channels of features."""
    random = np.random.default_rng(1)
    parts = []
    for name, channels in (("a", 1), ("b", 2)):
        mixed = random.standard_normal((channels, 3, 1, 1)).astype(np.float32)
        spread = random.standard_normal((channels, 1, 3, 3)).astype(np.float32)
        parts += convolution("x", f"{name}_mixed", mixed)
        parts += convolution(f"{name}_mixed", f"{name}_spread", spread, group=channels)
        parts += [helper.make_node("Sigmoid", [f"{name}_spread"], [name])]
    nodes = [part for part in parts if isinstance(part, onnx.NodeProto)]
    graph = helper.make_graph(
        nodes,
        "heads",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4, 5])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "ab"],
        [part for part in parts if isinstance(part, onnx.TensorProto)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)])


class TestMergeHeads:
    def test_computes_what_the_heads_computed_before_their_activation(self, two_heads: onnx.ModelProto) -> None:
        x = np.random.default_rng(2).standard_normal((1, 3, 4, 5)).astype(np.float32)
        heads = list(onnx.reference.ReferenceEvaluator(two_heads).run(None, {"x": x}))
        before = np.concatenate([np.asarray(head) for head in heads], axis=1)
        onnx_graphs.merge_heads(two_heads, ["a", "b"], "both")
        onnx_graphs.remove_unused(two_heads)
        assert [node.op_type for node in two_heads.graph.node] == ["Conv", "Conv"]
        assert {value.name for value in two_heads.graph.initializer} == {
            f"both_{step}_{part}" for step in ("mixed", "spread") for part in ("weight", "bias")
        }
        np.testing.assert_allclose(1 / (1 + np.exp(-computed(two_heads, x))), before, rtol=1e-5)

    def test_refuses_heads_of_different_features(self, two_heads: onnx.ModelProto) -> None:
        two_heads.graph.node[0].input[0] = "y"
        with pytest.raises(ValueError, match="the same features"):
            onnx_graphs.merge_heads(two_heads, ["a", "b"], "both")
