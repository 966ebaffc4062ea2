"""What every peer is measured by, in an environment of its own: needs nothing but NumPy beside the peer.

A peer's module calls `main` with a function that makes its recogniser. Then

    python -m benchmarks.peers.PEER IMAGES FRAMES RESULT

embeds the image files that IMAGES lists, one path a line, and the JPEG frames below FRAMES, a folder for each camera,
and writes RESULT.npz (vectors, found) and RESULT.json (times, memory).
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import multiprocessing.pool
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

WARM_UP_FRAMES = 10
ALONE_FRAMES = 200
TOGETHER_S = 30.0


class Recogniser(Protocol):
    """A library at work."""

    def vector(self, jpeg: bytes) -> NDArray[np.float32] | None:
        """Decodes an image, finds faces and embeds the one nearest the centre.

        Returns:
            (d,) float32, as the library compares it; None where no face is found.
        """


def nearest_centre(boxes: Sequence[Sequence[float]], width: float, height: float) -> int:
    """Which of these boxes (left, top, right, bottom in pixels) is nearest the centre of an image."""
    return min(
        range(len(boxes)),
        key=lambda index: np.hypot(
            boxes[index][0] + boxes[index][2] - width, boxes[index][1] + boxes[index][3] - height
        ),
    )


def main(make: Callable[[], Recogniser]) -> None:
    """Measures what the command line names."""
    images, frames, result = (Path(argument) for argument in sys.argv[1:])
    cameras = [
        [path.read_bytes() for path in sorted(camera.glob("*.jpg"))]
        for camera in sorted(frames.iterdir())
        if camera.is_dir()
    ]
    frame_ms = _alone(make(), cameras[0])
    cores = sorted(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    turn = context.Value("i", 0)
    with context.Pool(1, _begin, (make,)) as pool:
        # Some libraries are faster by threads of their own than by processes.
        together = [(_together(pool, cameras), _memory_mb())]
    with context.Pool(len(cores), _begin, (make, cores, turn)) as pool:
        together.append((_together(pool, cameras), _memory_mb()))
        vectors = pool.map(_embed_file, images.read_text().splitlines(), chunksize=16)
    fps, memory_mb = max(together)
    length = next(len(vector) for vector in vectors if vector is not None)
    np.savez(
        result.with_suffix(".npz"),
        vectors=np.stack([np.zeros(length, np.float32) if vector is None else vector for vector in vectors]),
        found=np.array([vector is not None for vector in vectors]),
    )
    result.with_suffix(".json").write_text(
        json.dumps(
            {
                "frame_ms_median": statistics.median(frame_ms),
                "frame_ms_p95": statistics.quantiles(frame_ms, n=20)[-1],
                "fps": fps,
                "memory_mb": memory_mb,
            }
        )
    )


def _alone(recogniser: Recogniser, frames: Sequence[bytes]) -> list[float]:
    """Milliseconds that each frame of one camera takes, with as many threads as the library chooses."""
    taken = []
    for number, frame in enumerate(itertools.islice(itertools.cycle(frames), WARM_UP_FRAMES + ALONE_FRAMES)):
        begin = time.perf_counter()
        recogniser.vector(frame)
        if number >= WARM_UP_FRAMES:
            taken.append((time.perf_counter() - begin) * 1000)
    return taken


def _together(pool: multiprocessing.pool.Pool, cameras: Sequence[Sequence[bytes]]) -> float:
    """Frames a second of all cameras in turn."""
    frames = itertools.cycle([frame for moment in zip(*cameras, strict=True) for frame in moment])
    begin, done = time.perf_counter(), 0
    while (spent := time.perf_counter() - begin) < TOGETHER_S:
        batch = list(itertools.islice(frames, 64))
        pool.map(_embed, batch, chunksize=4)
        done += len(batch)
    return done / spent


_recogniser: Recogniser | None = None


def _begin(make: Callable[[], Recogniser], cores: Sequence[int] = (), turn: Synchronized[int] | None = None) -> None:
    """Makes the recogniser of a process of a pool; on a core of its own where there are several."""
    global _recogniser  # noqa: PLW0603  # one for each process of a pool
    if turn is not None:
        with turn.get_lock():
            os.sched_setaffinity(0, {cores[turn.value % len(cores)]})
            turn.value += 1
    _recogniser = make()


def _embed(jpeg: bytes) -> NDArray[np.float32] | None:
    if _recogniser is None:
        raise RuntimeError("the process was not begun")
    return _recogniser.vector(jpeg)


def _embed_file(path: str) -> NDArray[np.float32] | None:
    return _embed(Path(path).read_bytes())


def _memory_mb() -> float:
    """Proportional set size of the processes of the pool together: shared pages count once."""
    total_kb = 0
    for process in multiprocessing.active_children():
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total_kb += int(line.split()[1])
    return total_kb / 1024
