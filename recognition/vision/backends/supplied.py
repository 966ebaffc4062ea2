"""Runs an embedder that somebody brought along, after a look at whether it is what its manifest says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from recognition.vision.backends import onnx_graphs
from recognition.vision.errors import PackError, PackInvalid
from recognition.vision.interfaces import InferenceSession
from recognition.vision.model_packs import Feed, Layout
from recognition.vision.runtimes.choice import Accelerator
from recognition.vision.runtimes.onnxruntime import OnnxRuntimeSession
from recognition.vision.types import require_array

CHANNELS = 3

PROBED = 2
"""Crops that a new embedder is tried on at once."""


class SuppliedEmbedder:
    """Embeds faces with a model of somebody else's, fed as its manifest says."""

    def __init__(self, session: InferenceSession, feed: Feed, layout: Layout, *, takes_one: bool) -> None:
        """Takes what runs the model; see `loaded`."""
        self._session, self._feed = session, feed
        self._layout, self._takes_one = layout, takes_one
        self._mean, self._std = np.array(feed.mean, np.float32), np.array(feed.std, np.float32)

    @property
    def runtime(self) -> str:
        """Name, version and device that really run the network."""
        return self._session.runtime

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeds (n, side, side, 3) uint8 crops; see `FaceEmbedder`."""
        side = self._feed.cut.side_px
        require_array("crops_bgr", crops_bgr, shape=(None, side, side, CHANNELS), dtype=np.uint8)
        ordered = crops_bgr[..., ::-1] if self._feed.channels == "RGB" else crops_bgr
        batch = (ordered.astype(np.float32) - self._mean) / self._std
        if self._layout == "NCHW":
            batch = batch.transpose(0, 3, 1, 2)
        batches = np.split(batch, len(batch)) if self._takes_one else [batch]
        return np.concatenate([self._session.run(np.ascontiguousarray(each))[0] for each in batches])


def loaded(path: Path, feed: Feed, *, threads: int, accelerator: Accelerator | None) -> SuppliedEmbedder:
    """Makes an embedder ready, and tries it on two pictures.

    Args:
        path: the ONNX file.
        feed: what its manifest says.
        threads: that one call may use.
        accelerator: what it is to run on; None is the CPU.

    Raises:
        PackInvalid: when it is no embedder, or another one than the manifest says; in one line.
        RuntimeUnavailable: when the accelerator does not start.
    """
    model = _read(path)
    layout, takes_one = _input_of(path, model.graph.input[0], feed)
    # ONNX Runtime raises an undocumented class for each kind of broken graph.
    try:
        session = OnnxRuntimeSession(model, threads=threads, accelerator=accelerator)
        embedder = SuppliedEmbedder(session, feed, layout, takes_one=takes_one)
        vectors = embedder.embed(_pictures(feed.cut.side_px))
    except PackError:
        raise
    except Exception as error:
        raise PackInvalid(f"{path} cannot be run by ONNX Runtime: {_one_line(error)}") from error
    _check(path, vectors, feed)
    return embedder


def _read(path: Path) -> onnx.ModelProto:
    """The model with one input; what else some exporters list as such has a value already, or is of no use."""
    try:
        model = onnx.load(path, load_external_data=False)
    # The error is one of protobuf, whose package is not ours to import.
    except Exception as error:
        raise PackInvalid(f"{path} is no ONNX file that can be read.") from error
    graph = model.graph
    if any(weight.data_location == TensorProto.EXTERNAL for weight in graph.initializer):
        raise PackInvalid(f"{path} keeps weights in other files; save it with all weights inside.")
    used = {name for node in graph.node for name in node.input} - {weight.name for weight in graph.initializer}
    inputs = [value.name for value in graph.input if value.name in used]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise PackInvalid(
            f"{path}: expected a model with one input and one output, got {len(inputs)} and {len(graph.output)}."
        )
    onnx_graphs.only_input(model, inputs[0])
    return model


def _input_of(path: Path, given: onnx.ValueInfoProto, feed: Feed) -> tuple[Layout, bool]:
    """The order of the axes, and whether the model takes one face at a time."""
    tensor = given.type.tensor_type
    if tensor.elem_type != TensorProto.FLOAT:
        raise PackInvalid(f"{path}: expected an input of float32, got {_type_name(tensor.elem_type)}.")
    shape = [axis.dim_value if axis.dim_value > 0 else None for axis in tensor.shape.dim]
    if len(shape) != 4 or shape[0] not in (None, 1):
        raise PackInvalid(f"{path}: expected an input of four axes, the first of any length or 1, got {_shown(shape)}.")
    return _layout(path, shape, feed), shape[0] == 1


def _layout(path: Path, shape: list[int | None], feed: Feed) -> Layout:
    side = feed.cut.side_px
    ends: dict[Layout, list[int]] = {"NCHW": [CHANNELS, side, side], "NHWC": [side, side, CHANNELS]}
    fitting = [
        layout
        for layout, expected in ends.items()
        if feed.layout in (None, layout)
        and all(given in (None, wanted) for given, wanted in zip(shape[1:], expected, strict=True))
    ]
    if not fitting:
        layouts = " or ".join(f"{layout} {('n', *ends[layout])}" for layout in ends if feed.layout in (None, layout))
        layouts = layouts.replace("'", "")
        raise PackInvalid(f"{path}: the manifest says an input of {layouts}, the model takes {_shown(shape)}.")
    if len(fitting) > 1:
        raise PackInvalid(f'{path} does not say where its channels are: add layout = "NCHW" or "NHWC" to [input].')
    return fitting[0]


def _pictures(side_px: int) -> NDArray[np.uint8]:
    """Two pictures of noise, the same at each call."""
    return np.random.default_rng(0).integers(0, 256, (PROBED, side_px, side_px, CHANNELS), np.uint8)


def _check(path: Path, vectors: NDArray[np.float32], feed: Feed) -> None:
    if vectors.shape != (PROBED, feed.dimension):
        raise PackInvalid(
            f"{path}: the manifest says vectors of {feed.dimension} numbers, so two faces should give an output of "
            f"({PROBED}, {feed.dimension}), got {_shown(list(vectors.shape))}."
        )
    if vectors.dtype != np.float32:
        raise PackInvalid(f"{path}: expected an output of float32, got {vectors.dtype}.")
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise PackInvalid(f"{path} makes vectors of two pictures that have no direction: they are not finite, or zero.")


def _shown(shape: list[int | None]) -> str:
    return f"({', '.join(str(length or '?') for length in shape)})"


def _type_name(elem_type: int) -> str:
    return str(TensorProto.DataType.Name(elem_type)).lower() if elem_type else "no tensor"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
