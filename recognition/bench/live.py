"""`faceweb bench live`: how much of the bare pipeline's speed reaches the people at the cameras."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from faceweb import state
from recognition import conf, wiring
from recognition.bench import bare, clients, gallery, people, recordings, server
from recognition.bench.bare import BareRun
from recognition.bench.clients import SentFrame, Streamed
from recognition.decision.policy import QualityGates
from recognition.vision import model_packs
from recognition.vision.pipeline import FacePipeline

ENROLLED = 1000
ROUND_S = 10.0
"""The server streams for this long, then the bare pipeline repeats the same frames, and so on: both meet
the same neighbours on a busy machine."""

SMALLEST_FACE_PX = QualityGates().min_face_size_px
"""What the fresh installation's policy says, and so the scale at which the server searches."""


@dataclasses.dataclass(frozen=True, slots=True)
class LiveBenchmark:
    """What was measured.

    Args:
        streams: clients at the same time.
        camera_fps: frames that each camera made a second; None where as many were sent as the server took.
        fps: frames analysed a second, by all together.
        bare_fps: the same frames by the bare pipeline.
        ratio: fps over bare_fps; says something only where cameras are not paced.
        bare_p95_ms: 95th percentile of the time that the bare pipeline took for a frame.
        p50_ms: median time from sending a frame to its result.
        p95_ms: 95th percentile of it.
        analysed_share: frames analysed over frames made, 0..1.
        dropped: frames that a newer one replaced before a worker was free.
        slowest_fps: frames analysed a second of the stream that got least.
        fastest_fps: the same of the one that got most.
        fairness: frames of the slowest client over those of the fastest.
        embeddings: faces that the server embedded.
        bare_embeddings: faces that the bare pipeline embedded.
        runtime: what ran the networks.
    """

    streams: int
    camera_fps: int | None
    fps: float
    bare_fps: float
    ratio: float
    bare_p95_ms: float
    p50_ms: float
    p95_ms: float
    analysed_share: float
    dropped: int
    slowest_fps: float
    fastest_fps: float
    fairness: float
    embeddings: int
    bare_embeddings: int
    runtime: str


@dataclasses.dataclass(slots=True)
class _BareWay:
    """One way of running the bare pipeline, and how it did."""

    name: str
    pipeline: FacePipeline
    threads: int
    runs: list[BareRun] = dataclasses.field(default_factory=list)

    @property
    def seconds(self) -> float:
        return sum(run.seconds for run in self.runs)


def measure(*, streams: int, seconds: float, camera_fps: int | None, say: Callable[[str], None]) -> LiveBenchmark:
    """Runs the benchmark.

    Args:
        streams: clients at the same time.
        seconds: for how long they stream, in rounds of ten seconds.
        camera_fps: frames that each camera makes a second; None sends as many as the server takes.
        say: told what happens, a sentence at a time.

    Raises:
        ServerFailed: when the server does not start.
        StreamFailed: when a session ends early.
        PackError: when the default pack cannot be loaded.
    """
    # OpenCV's own threads would compete with ours for the same cores; the server has the same setting.
    cv2.setNumThreads(1)
    ways = _ways(streams)
    pipeline = ways[0].pipeline
    lfw = lfw_images()
    say(f"Preparing {ENROLLED:,} people from {'LFW images' if lfw else 'the shipped faces'} ...")
    cast = people.cast(pipeline, lfw, enrolled=ENROLLED, threads=conf.worker_threads())
    recorded = [recordings.record(portrait, number) for number, portrait in enumerate(cast.walkers)]
    say("Starting the server ...")
    with server.running(cache_dir=conf.cache_dir()) as up:
        gallery.write(up.directory / "gallery.npz", cast)
        up.run_module(gallery.__name__, str(up.directory / "gallery.npz"))
        cookie = up.log_in()
        rounds: list[Streamed] = []
        for number, length in enumerate(lengths := _lengths(seconds), start=1):
            say(f"Round {number} of {len(lengths)}: {streams} streams for {length:g} s, then the bare pipeline ...")
            streamed = clients.stream(up, cookie, recorded, streams=streams, seconds=length, fps=camera_fps)
            rounds.append(streamed)
            for way in ways:
                frames = _in_order(streamed)
                run = bare.repeat(
                    way.pipeline, recorded, frames, threads=way.threads, smallest_face_px=SMALLEST_FACE_PX
                )
                way.runs.append(run)
                say(f"  {way.name}: {len(frames) / run.seconds:.1f} fps (server: {len(frames) / streamed.seconds:.1f})")
    return _summary(camera_fps, rounds, min(ways, key=lambda way: way.seconds))


def lfw_images() -> Path | None:
    """The LFW images of the shared data; None where they are not."""
    folder = state.shared_data_directory() / "lfw-view1" / "images"
    return folder if folder.is_dir() else None


def _ways(streams: int) -> list[_BareWay]:
    """One core and all that the product uses: by more threads or, for a single stream, by the runtime.

    Frames of one camera come one after the other, so a second thread would have nothing to do.
    """
    pack = model_packs.opencv_zoo_pack()
    options = wiring.runtime_options()
    pipeline = wiring.load(pack, options).pipeline
    several = conf.worker_threads()
    ways = [_BareWay("bare, one thread", pipeline, 1)]
    if streams > 1:
        ways.append(_BareWay(f"bare, {several} threads", pipeline, several))
    else:
        wide = wiring.load(pack, dataclasses.replace(options, threads=1, threads_per_call=several)).pipeline
        ways.append(_BareWay(f"bare, one thread, runtime with {several}", wide, 1))
    for way in ways:
        way.pipeline.warm_up()
    return ways


def _lengths(seconds: float) -> Sequence[float]:
    count = max(round(seconds / ROUND_S), 1)
    return [seconds / count] * count


def _in_order(streamed: Streamed) -> list[SentFrame]:
    frames = (frame for stream in streamed.streams for frame in stream.analysed)
    return sorted(frames, key=lambda frame: frame.answered_s)


def _summary(camera_fps: int | None, rounds: Sequence[Streamed], best: _BareWay) -> LiveBenchmark:
    frames = [frame for streamed in rounds for frame in _in_order(streamed)]
    streams = [stream for streamed in rounds for stream in streamed.streams]
    seconds = sum(streamed.seconds for streamed in rounds)
    fps = len(frames) / seconds
    bare_fps = sum(run.frames for run in best.runs) / best.seconds
    p50_ms, p95_ms = np.percentile([frame.round_trip_ms for frame in frames], [50, 95])
    counts = _frames_by_stream(rounds)
    return LiveBenchmark(
        streams=len(counts),
        camera_fps=camera_fps,
        fps=fps,
        bare_fps=bare_fps,
        ratio=fps / bare_fps,
        bare_p95_ms=float(np.percentile([ms for run in best.runs for ms in run.frame_ms], 95)),
        p50_ms=float(p50_ms),
        p95_ms=float(p95_ms),
        analysed_share=len(frames) / sum(stream.made for stream in streams),
        dropped=sum(stream.dropped for stream in streams),
        slowest_fps=min(counts) / seconds,
        fastest_fps=max(counts) / seconds,
        fairness=min(counts) / max(counts),
        embeddings=sum(frame.embedded for frame in frames),
        bare_embeddings=sum(run.embedded for run in best.runs),
        runtime=best.pipeline.runtime,
    )


def _frames_by_stream(rounds: Iterable[Streamed]) -> list[int]:
    each = [[len(stream.analysed) for stream in streamed.streams] for streamed in rounds]
    return [sum(counts) for counts in zip(*each, strict=True)]
