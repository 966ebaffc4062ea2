"""A head as an ONNX file: one matrix product, which any runtime computes."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper, numpy_helper

from recognition.training.head import Head

OPSET = 17
"""Old enough for every runtime that faceweb supports."""


def onnx_of(head: Head) -> bytes:
    """The file's content.

    Args:
        head: its input is called `vectors`, (n, d) float32 of length 1; its output `projected`, (n, k) float32 of any
            length.
    """
    dimension, projected = head.weight.shape
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["vectors", "weight", "bias"], ["projected"])],
        "head",
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", dimension])],
        [helper.make_tensor_value_info("projected", TensorProto.FLOAT, ["n", projected])],
        [numpy_helper.from_array(head.weight, "weight"), numpy_helper.from_array(head.bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
