"""Edits of ONNX graphs that make shipped networks run well, without changing what they compute."""

from __future__ import annotations

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
