"""The bare pipeline: the server's work without the server, as fast as this machine can."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import itertools
import time
from collections.abc import Sequence

from recognition.bench.clients import SentFrame
from recognition.vision import images
from recognition.vision.pipeline import FacePipeline


@dataclasses.dataclass(frozen=True, slots=True)
class BareRun:
    """One repetition of the server's work.

    Args:
        frames: how many.
        embedded: faces that were embedded in them.
        seconds: how long it took.
        frame_ms: how long each frame took.
    """

    frames: int
    embedded: int
    seconds: float
    frame_ms: tuple[float, ...]


def repeat(
    pipeline: FacePipeline,
    recordings: Sequence[Sequence[bytes]],
    sent: Sequence[SentFrame],
    *,
    threads: int,
    smallest_face_px: float,
) -> BareRun:
    """Decodes, searches and embeds exactly what the server did, and nothing else.

    Args:
        pipeline: the same pack on the same runtimes.
        recordings: the frames.
        sent: which of them the server analysed, where it looked, and how many faces it embedded in each.
        threads: how many take frames, each the next one.
        smallest_face_px: of the server's policy.
    """
    counter = itertools.count()
    frame_ms = [0.0] * len(sent)

    def work() -> int:
        embedded = 0
        # next() of a count is atomic.
        while (position := next(counter)) < len(sent):
            frame, frame_begin = sent[position], time.monotonic()
            image_bgr = images.decode(recordings[frame.recording][frame.index], images.FRAME_LIMITS)
            if frame.near:
                faces = pipeline.find_near(image_bgr, frame.near)
            else:
                faces = pipeline.find(image_bgr, smallest_face_px=smallest_face_px, coarser=False)
            embedded += len(pipeline.embed(image_bgr, faces[: frame.embedded]))
            frame_ms[position] = (time.monotonic() - frame_begin) * 1e3
        return embedded

    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        done = [pool.submit(work) for _ in range(threads)]
        embedded = sum(future.result() for future in done)
    return BareRun(len(sent), embedded, time.monotonic() - begin, tuple(frame_ms))
