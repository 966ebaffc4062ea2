"""Runs networks on ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

# The environment switches it off before this import (`faceweb.env`); this covers a program that uses the package alone.
onnxruntime.disable_telemetry_events()


class OnnxRuntimeSession:
    """A network on ONNX Runtime's CPU provider; `run` may be called from several threads."""

    def __init__(self, model_path: Path, *, threads: int = 1) -> None:
        """Loads a network.

        Args:
            model_path: an ONNX file with one input of shape (n, channels, height, width).
            threads: threads that one call may use.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning threads of several sessions fight each other for the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(model_path), options, providers=["CPUExecutionProvider"])
        self._input_name = self._session.get_inputs()[0].name

    @property
    def runtime(self) -> str:
        """Name, version and provider in use."""
        provider = self._session.get_providers()[0].removesuffix("ExecutionProvider")
        return f"onnxruntime {onnxruntime.__version__} {provider}"

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Runs the network on a (n, channels, height, width) float32 batch."""
        return tuple(self._session.run(None, {self._input_name: batch}))
