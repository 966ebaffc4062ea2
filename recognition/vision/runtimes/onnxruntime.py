"""Runs networks on ONNX Runtime: on its CPU provider, or on an accelerator that is asked for by name."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from recognition.vision.errors import RuntimeUnavailable
from recognition.vision.runtimes.choice import Accelerator

# The environment switches it off before this import (`faceweb.env`); this covers a program that uses the package alone.
onnxruntime.disable_telemetry_events()

Provider = str | tuple[str, Mapping[str, str]]
"""As `onnxruntime.InferenceSession` takes it: a name, or a name and its options."""

CPU = "CPUExecutionProvider"

_PROVIDERS: dict[Accelerator, tuple[str, Mapping[str, str]]] = {
    # TF32 rounds to ten bits of mantissa: templates of it and of a CPU would differ by more than thresholds bear.
    # The exhaustive search of the fastest algorithm would run again at each new size of image.
    "cuda": ("CUDAExecutionProvider", {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}),
    "tensorrt": ("TensorrtExecutionProvider", {}),
    "coreml": ("CoreMLExecutionProvider", {}),
}


def offered() -> tuple[Accelerator, ...]:
    """The accelerators that the installed build of ONNX Runtime knows; their drivers may still be missing."""
    known = onnxruntime.get_available_providers()
    return tuple(name for name, (provider, _) in _PROVIDERS.items() if provider in known)


def telling_on_stderr() -> contextlib.AbstractContextManager[object]:
    """For what ONNX Runtime prints when an accelerator does not start: the standard output is a command's own."""
    return contextlib.redirect_stdout(sys.stderr)


def providers(accelerator: Accelerator | None) -> list[Provider]:
    """What a session is to run on, for `onnxruntime.InferenceSession`; None is the CPU."""
    if accelerator is None:
        return [CPU]
    # NVIDIA's wheels put CUDA and cuDNN where the loader does not look.
    with telling_on_stderr():
        onnxruntime.preload_dlls(msvc=False)
    return [_PROVIDERS[accelerator]]


def in_use(session: onnxruntime.InferenceSession, accelerator: Accelerator | None) -> str:
    """Name, version and provider that a session really runs on.

    Raises:
        RuntimeUnavailable: when it was to be an accelerator and is not. ONNX Runtime goes on with the CPU then, and
            only logs why: a driver or library that is missing or too old.
    """
    actual = session.get_providers()[0]
    if accelerator is not None and actual != _PROVIDERS[accelerator][0]:
        raise RuntimeUnavailable(
            f"FACEWEB_RUNTIME asks for {accelerator}, but it does not start on this machine: its driver or a library "
            "is missing, or too old; ONNX Runtime wrote which one just before this. Install it, or set "
            "FACEWEB_RUNTIME=auto."
        )
    return f"onnxruntime {onnxruntime.__version__} {actual.removesuffix('ExecutionProvider')}"


def without_prelu(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with each PRelu(x) of one slope a channel as Relu(x) - slope * Relu(-x).

    ONNX Runtime's CPU provider leaves its blocked layout for every PRelu and enters it again after it. Relu it fuses
    into the convolution before it, and both factors are convolutions of each channel by itself, which keep the layout.

    Args:
        model: edited in place.
    """
    graph = model.graph
    weights = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    nodes = []
    for node in graph.node:
        slope = weights.get(node.input[1]) if node.op_type == "PRelu" else None
        if slope is None or slope.shape != (slope.size, 1, 1):
            nodes.append(node)
            continue
        x, y, channels = node.input[0], node.output[0], slope.size
        for name, factors in ((f"{y}_minus", np.full_like(slope, -1.0)), (f"{y}_slope", -slope)):
            graph.initializer.append(numpy_helper.from_array(factors.reshape(channels, 1, 1, 1), name))
        nodes += [
            helper.make_node("Relu", [x], [f"{y}_above"]),
            helper.make_node("Conv", [x, f"{y}_minus"], [f"{y}_turned"], group=channels, kernel_shape=[1, 1]),
            helper.make_node("Relu", [f"{y}_turned"], [f"{y}_below"]),
            helper.make_node(
                "Conv", [f"{y}_below", f"{y}_slope"], [f"{y}_scaled"], group=channels, kernel_shape=[1, 1]
            ),
            helper.make_node("Add", [f"{y}_above", f"{y}_scaled"], [y]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [value for value in graph.initializer if value.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return model


class OnnxRuntimeSession:
    """A network on ONNX Runtime; `run` may be called from several threads."""

    def __init__(
        self, model: Path | onnx.ModelProto, *, threads: int = 1, accelerator: Accelerator | None = None
    ) -> None:
        """Loads a network.

        Args:
            model: an ONNX file with one input of shape (n, channels, height, width), or what was read from one, which
                may be edited.
            threads: threads that one call may use.
            accelerator: what it is to run on; None is the CPU.

        Raises:
            RuntimeUnavailable: when the accelerator does not start.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning threads of several sessions fight each other for the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        wanted = providers(accelerator)
        # An accelerator has a PRelu of its own.
        network = onnx.load(model) if isinstance(model, Path) else model
        content = (without_prelu(network) if accelerator is None else network).SerializeToString()
        with telling_on_stderr():
            self._session = onnxruntime.InferenceSession(content, options, providers=wanted)
        self._runtime = in_use(self._session, accelerator)
        self._input_name = self._session.get_inputs()[0].name

    @property
    def runtime(self) -> str:
        """Name, version and provider in use."""
        return self._runtime

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Runs the network on a (n, channels, height, width) float32 batch."""
        return tuple(self._session.run(None, {self._input_name: batch}))
