"""Runs networks on OpenVINO."""

from __future__ import annotations

import collections
import threading
from pathlib import Path
from typing import Literal

import numpy as np
import openvino
from numpy.typing import NDArray

Precision = Literal["default", "float32"]

MAX_COMPILED_SHAPES = 24
"""Input shapes kept compiled per network; the least recently used one goes first."""


class OpenVinoSession:
    """A network on OpenVINO's CPU plugin; `run` may be called from several threads.

    A network is compiled once for each input shape that it meets, because a static shape runs up
    to a third faster than a dynamic one.
    """

    def __init__(
        self,
        model_path: Path,
        *,
        threads: int = 1,
        streams: int = 1,
        precision: Precision = "default",
    ) -> None:
        """Loads a network.

        Args:
            model_path: an ONNX file with one input of shape (n, channels, height, width).
            threads: threads in all; each stream gets an equal share.
            streams: calls that run at the same time.
            precision: "default" lets the processor use bfloat16 where it is faster.
        """
        self._core = openvino.Core()
        self._options: dict[str, object] = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
            "ENABLE_CPU_PINNING": False,
        }
        if precision == "float32":
            self._options["INFERENCE_PRECISION_HINT"] = "f32"
        self._model_path = model_path
        self._lock = threading.Lock()
        self._compiled: collections.OrderedDict[tuple[int, ...], openvino.CompiledModel] = collections.OrderedDict()
        # An infer request serves one thread at a time, so each thread keeps its own.
        self._local = threading.local()

    @property
    def runtime(self) -> str:
        """Name, version and device in use."""
        return f"openvino {openvino.__version__.split('-')[0]} CPU"

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Runs the network on a (n, channels, height, width) float32 batch."""
        request = self._request(batch.shape)
        request.infer([batch], share_inputs=True)
        return tuple(np.array(tensor.data) for tensor in request.output_tensors)

    def _request(self, shape: tuple[int, ...]) -> openvino.InferRequest:
        requests: collections.OrderedDict[tuple[int, ...], openvino.InferRequest]
        requests = self._local.__dict__.setdefault("requests", collections.OrderedDict())
        if shape not in requests:
            requests[shape] = self._compile(shape).create_infer_request()
            if len(requests) > MAX_COMPILED_SHAPES:
                requests.popitem(last=False)
        requests.move_to_end(shape)
        return requests[shape]

    def _compile(self, shape: tuple[int, ...]) -> openvino.CompiledModel:
        with self._lock:
            if shape not in self._compiled:
                model = self._core.read_model(self._model_path)
                model.reshape(list(shape))
                self._compiled[shape] = self._core.compile_model(model, "CPU", self._options)
                if len(self._compiled) > MAX_COMPILED_SHAPES:
                    self._compiled.popitem(last=False)
            self._compiled.move_to_end(shape)
            return self._compiled[shape]
