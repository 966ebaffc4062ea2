"""Edits of ONNX graphs that make shipped networks run well, without changing what they compute."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnx.reference
from onnx import helper, numpy_helper


def only_input(model: onnx.ModelProto, name: str) -> None:
    """Removes every graph input but one; some exporters list the weights as inputs too."""
    kept = [value for value in model.graph.input if value.name == name]
    del model.graph.input[:]
    model.graph.input.extend(kept)


def free_dimensions(model: onnx.ModelProto, **axes: str) -> None:
    """Lets dimensions of the only input vary.

    Args:
        model: edited in place; shapes inferred for a fixed size are dropped.
        axes: `axis_0="batch"` gives axis 0 that symbolic name.
    """
    dimensions = model.graph.input[0].type.tensor_type.shape.dim
    for key, symbol in axes.items():
        dimensions[int(key.removeprefix("axis_"))].dim_param = symbol
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]


def merge_heads(model: onnx.ModelProto, heads: Sequence[str], merged: str) -> None:
    """Makes one output of several that two convolutions each compute from the same features.

    Small convolutions cost more for being called than for their arithmetic. What follows them (activation,
    transposition, change of shape) is left out and becomes the caller's.

    Args:
        model: edited in place; `remove_unused` drops the former nodes.
        heads: names of outputs, each made of a 1 x 1 convolution and one that looks at each channel by itself.
        merged: name of the new output, (n, channels of all heads in their order, height, width).
    """
    graph = model.graph
    made_by = {name: node for node in graph.node for name in node.output}
    weights = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    spread = [_convolution_before(made_by, head) for head in heads]
    mixed = [_convolution_before(made_by, node.input[0]) for node in spread]
    features = {node.input[0] for node in mixed}
    if len(features) != 1:
        raise ValueError(f"merge_heads: expected heads of the same features, got {sorted(features)}")
    name = features.pop()
    for step, nodes in (("mixed", mixed), ("spread", spread)):
        parts = ("weight", "bias")
        for part, names in zip(parts, zip(*(node.input[1:] for node in nodes), strict=True), strict=True):
            joined = np.concatenate([weights[each] for each in names])
            graph.initializer.append(numpy_helper.from_array(joined, f"{merged}_{step}_{part}"))
        output = merged if step == "spread" else f"{merged}_{step}"
        convolution = onnx.NodeProto()
        convolution.CopyFrom(nodes[0])
        convolution.name = f"{merged}_{step}"
        convolution.input[:] = [name, *(f"{merged}_{step}_{part}" for part in parts)]
        convolution.output[:] = [output]
        if step == "spread":
            channels = sum(len(weights[node.input[1]]) for node in nodes)
            next(each for each in convolution.attribute if each.name == "group").i = channels
        graph.node.append(convolution)
        name = output
    left = [value for value in graph.output if value.name not in heads]
    del graph.output[:]
    graph.output.extend([*left, helper.make_tensor_value_info(merged, onnx.TensorProto.FLOAT, None)])


def _convolution_before(made_by: dict[str, onnx.NodeProto], name: str) -> onnx.NodeProto:
    node = made_by[name]
    while node.op_type != "Conv":
        node = made_by[node.input[0]]
    return node


def remove_unused(model: onnx.ModelProto) -> None:
    """Removes nodes and weights that no output depends on."""
    graph = model.graph
    wanted = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    weights = [value for value in graph.initializer if value.name in wanted]
    del graph.node[:]
    graph.node.extend(reversed(kept))
    del graph.initializer[:]
    graph.initializer.extend(weights)


def fold_constants(model: onnx.ModelProto) -> None:
    """Evaluates every node that depends on no input once, and keeps its result as a weight.

    A quantised file is dequantised at each call by runtimes that do not fold this themselves.
    """
    graph = model.graph
    known = {value.name for value in graph.initializer}
    constant = []
    for node in graph.node:
        if all(name in known for name in node.input if name):
            constant.append(node)
            known.update(node.output)
    live = [node for node in graph.node if node not in constant]
    wanted = sorted(
        {name for node in live for name in node.input} & {name for node in constant for name in node.output}
    )
    if not wanted:
        return
    values = helper.make_graph(
        constant,
        "constants",
        [],
        [helper.make_tensor_value_info(name, onnx.TensorProto.UNDEFINED, None) for name in wanted],
        list(graph.initializer),
    )
    evaluator = onnx.reference.ReferenceEvaluator(helper.make_model(values, opset_imports=model.opset_import))
    results = evaluator.run(wanted, {})
    used = {name for node in live for name in node.input}
    kept = [value for value in graph.initializer if value.name in used]
    del graph.node[:]
    graph.node.extend(live)
    del graph.initializer[:]
    graph.initializer.extend(kept)
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in zip(wanted, results, strict=True))
