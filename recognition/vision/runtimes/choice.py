"""Which runtime runs a network: the one demanded, or the one that measures faster here."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import logging
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from recognition.vision import cores
from recognition.vision.errors import RuntimeUnavailable
from recognition.vision.interfaces import InferenceSession

logger = logging.getLogger(__name__)

RuntimeName = Literal["openvino", "onnxruntime"]
Accelerator = Literal["cuda", "tensorrt", "coreml"]
Demand = Literal["auto", "openvino", "onnxruntime", "cuda", "tensorrt", "coreml"]
RUNTIMES: tuple[RuntimeName, ...] = get_args(RuntimeName)
ACCELERATORS: tuple[Accelerator, ...] = get_args(Accelerator)
"""Providers of ONNX Runtime that are used when they are asked for, and never by themselves."""

WARM_UP_RUNS = 3
MEASURED_RUNS = 15


@dataclasses.dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """How networks are run.

    Args:
        demand: "auto" measures the runtimes of the CPU once and remembers; a name uses that runtime or fails.
        threads: calls that run at the same time.
        cache_dir: where prepared networks and the measurement are kept.
        threads_per_call: cores that one call may use.
    """

    demand: Demand
    threads: int
    cache_dir: Path
    threads_per_call: int = 1

    @property
    def accelerator(self) -> Accelerator | None:
        """The accelerator that is asked for; None for the CPU."""
        return next((name for name in ACCELERATORS if name == self.demand), None)


def installed(name: RuntimeName | Accelerator) -> bool:
    """Whether a runtime can be imported here, or its build knows an accelerator."""
    if name not in ACCELERATORS:
        return importlib.util.find_spec(name) is not None
    if not installed("onnxruntime"):
        return False
    from recognition.vision.runtimes import onnxruntime

    return name in onnxruntime.offered()


def require(demand: Demand) -> None:
    """Sees to it that what runs the networks is installed.

    Raises:
        RuntimeUnavailable: when it is not; the text says what to do.
    """
    if demand in ACCELERATORS and not installed(demand):
        raise RuntimeUnavailable(
            f"FACEWEB_RUNTIME asks for {demand}, which the installed onnxruntime does not offer. Install a build that "
            "does (docs/howto/accelerators.md), or set FACEWEB_RUNTIME=auto."
        )
    wanted = RUNTIMES if demand == "auto" else (demand,)
    if not any(installed(name) for name in wanted):
        raise RuntimeUnavailable(
            f"The inference runtime {' or '.join(wanted)} is not installed. Run "
            "`make setup`, or set FACEWEB_RUNTIME=auto to use what is there."
        )


def load(model_path: Path, example: NDArray[np.float32], options: RuntimeOptions) -> InferenceSession:
    """Loads a network on the runtime that the options ask for.

    Args:
        model_path: the prepared ONNX file; its name is part of the measurement's key.
        example: a batch of the shape that the network meets most, for the measurement.
        options: which runtime, how many threads, where the cache is.

    Raises:
        RuntimeUnavailable: when the demanded runtime, or any at all, is not installed, or does not start.
    """
    require(options.demand)
    if options.demand != "auto":
        return _session(options.demand, model_path, options)
    sessions = {name: _session(name, model_path, options) for name in RUNTIMES if installed(name)}
    if len(sessions) == 1:
        return next(iter(sessions.values()))
    fastest = _remembered(sessions, model_path, example, options)
    return sessions[fastest]


def _session(name: RuntimeName | Accelerator, model_path: Path, options: RuntimeOptions) -> InferenceSession:
    # Imported here, so that a machine with one of the two runtimes needs only that one.
    if name == "openvino":
        from recognition.vision.runtimes.openvino import OpenVinoSession

        return OpenVinoSession(
            model_path,
            threads=options.threads * options.threads_per_call,
            streams=options.threads,
        )
    from recognition.vision.runtimes.onnxruntime import OnnxRuntimeSession

    return OnnxRuntimeSession(model_path, threads=options.threads_per_call, accelerator=options.accelerator)


def _remembered(
    sessions: dict[RuntimeName, InferenceSession],
    model_path: Path,
    example: NDArray[np.float32],
    options: RuntimeOptions,
) -> RuntimeName:
    key = {
        "model": model_path.name,
        "shape": list(example.shape),
        "runtimes": sorted(session.runtime for session in sessions.values()),
        "machine": [platform.machine(), cores.processor()],
        "threads_per_call": options.threads_per_call,
    }
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    note = options.cache_dir / f"fastest-{digest}.json"
    try:
        stored = json.loads(note.read_text())["fastest"]
        return next(name for name in sessions if name == stored)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        # Absent or damaged: measure again and replace it.
        pass
    times = _best_ms(sessions, example)
    fastest = min(times, key=lambda name: times[name])
    logger.info("measured %s in ms: %s", model_path.stem, times)
    write_atomically(note, json.dumps({**key, "best_ms": times, "fastest": fastest}).encode())
    return fastest


def _best_ms(sessions: dict[RuntimeName, InferenceSession], example: NDArray[np.float32]) -> dict[RuntimeName, float]:
    """The shortest of several runs of each, in turns: what else the machine does makes runs longer, never shorter."""
    for session in sessions.values():
        for _ in range(WARM_UP_RUNS):
            session.run(example)
    best = dict.fromkeys(sessions, math.inf)
    for _ in range(MEASURED_RUNS):
        for name, session in sessions.items():
            begin = time.perf_counter()
            session.run(example)
            best[name] = min(best[name], (time.perf_counter() - begin) * 1e3)
    return {name: round(ms, 3) for name, ms in best.items()}


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that another process sees the old content, or the new, or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def prepared(source: Path, sha256: str, version: str, prepare: Callable[[Path], bytes], cache_dir: Path) -> Path:
    """A network as edited for our runtimes, made once a digest and version of the edit.

    Args:
        source: the published file.
        sha256: its verified digest.
        version: changes whenever the edit changes.
        prepare: makes the edited file's content.
        cache_dir: where the result is kept.
    """
    target = cache_dir / f"{source.stem}-{sha256[:16]}-{version}.onnx"
    if not target.exists():
        write_atomically(target, prepare(source))
    return target
