"""`faceweb bench live`: how much of the bare pipeline's speed reaches the people at the cameras."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from faceweb import state
from recognition import conf, wiring
from recognition.bench import bare, channel_layer, clients, elsewhere, gallery, people, recordings, server
from recognition.bench.bare import BareRun
from recognition.bench.clients import SentFrame, Streamed
from recognition.bench.server import Server
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
class ThroughChannels:
    """The same streams in the same rounds, with as many workers that are reached through the channel layer.

    Args:
        fps: frames analysed a second, by all together.
        ratio: fps over the bare pipeline's, which repeated the frames of our own way.
        p95_ms: 95th percentile of the time from sending a frame to its result.
        redis_commands_per_frame: what Redis was sent meanwhile.
    """

    fps: float
    ratio: float
    p95_ms: float
    redis_commands_per_frame: float


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
        near_share: frames of which only the surroundings of followed faces were searched, 0..1; by both.
        runtime: what ran the networks.
        workers: processes that recognised, reached through Redis; 0 where the server had its own.
        redis_commands_per_frame: what Redis was sent meanwhile, heartbeats and signals included; None without it.
        through_channels: the same by channels_redis and `runworker`; None unless that was asked for.
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
    near_share: float
    runtime: str
    workers: int = 0
    redis_commands_per_frame: float | None = None
    through_channels: ThroughChannels | None = None


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


@dataclasses.dataclass(slots=True)
class _Installation:
    """A running server, what streams to it, and how it did.

    Args:
        up: the server.
        cookie: of somebody who may use the live page.
        redis_url: where it meets its workers; empty where it has its own.
        rounds: what its clients saw.
        commands: what its Redis was sent in those rounds.
    """

    up: Server
    cookie: str
    redis_url: str
    rounds: list[Streamed] = dataclasses.field(default_factory=list)
    commands: int = 0

    @property
    def frames(self) -> list[SentFrame]:
        return [frame for streamed in self.rounds for frame in _in_order(streamed)]

    @property
    def fps(self) -> float:
        return len(self.frames) / sum(streamed.seconds for streamed in self.rounds)

    @property
    def commands_per_frame(self) -> float | None:
        return self.commands / len(self.frames) if self.redis_url else None

    def p_ms(self, *percentiles: int) -> list[float]:
        """Percentiles of the time from sending a frame to its result."""
        return [float(p) for p in np.percentile([frame.round_trip_ms for frame in self.frames], percentiles)]

    def stream(self, recorded: Sequence[Sequence[bytes]], *, streams: int, seconds: float, fps: int | None) -> Streamed:
        """One round."""
        before = elsewhere.commands(self.redis_url) if self.redis_url else 0
        streamed = clients.stream(self.up, self.cookie, recorded, streams=streams, seconds=seconds, fps=fps)
        if self.redis_url:
            self.commands += elsewhere.commands(self.redis_url) - before
        self.rounds.append(streamed)
        return streamed


def measure(
    *,
    streams: int,
    seconds: float,
    camera_fps: int | None,
    workers: int,
    channels: bool,
    say: Callable[[str], None],
) -> LiveBenchmark:
    """Runs the benchmark.

    Args:
        streams: clients at the same time.
        seconds: for how long they stream, in rounds of ten seconds.
        camera_fps: frames that each camera makes a second; None sends as many as the server takes.
        workers: how many processes of their own recognise, reached through a real Redis; 0 leaves it to the server.
        channels: whether the same is measured through the channel layer, in the same rounds.
        say: told what happens, a sentence at a time.

    Raises:
        ServerFailed: when a server, Redis or a worker does not start.
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
    with contextlib.ExitStack() as stack:
        ours = _installed(stack, cast, workers)
        others = [_installed(stack, cast, workers, through_channels=True)] if channels else []
        for number, length in enumerate(lengths := _lengths(seconds), start=1):
            say(f"Round {number} of {len(lengths)}: {streams} streams for {length:g} s, then the bare pipeline ...")
            streamed = ours.stream(recorded, streams=streams, seconds=length, fps=camera_fps)
            for other in others:
                other.stream(recorded, streams=streams, seconds=length, fps=camera_fps)
                say(f"  through the channel layer: {other.fps:.1f} fps")
            for way in ways:
                frames = _in_order(streamed)
                run = bare.repeat(
                    way.pipeline, recorded, frames, threads=way.threads, smallest_face_px=SMALLEST_FACE_PX
                )
                way.runs.append(run)
                say(f"  {way.name}: {len(frames) / run.seconds:.1f} fps (server: {len(frames) / streamed.seconds:.1f})")
    return _summary(ours, min(ways, key=lambda way: way.seconds), camera_fps=camera_fps, workers=workers, others=others)


def _installed(
    stack: contextlib.ExitStack, cast: people.Cast, workers: int, *, through_channels: bool = False
) -> _Installation:
    """A server with a filled gallery, and its workers; they end with the stack."""
    redis_url = stack.enter_context(elsewhere.redis_server()) if workers else ""
    web = channel_layer.WEB if through_channels else server.UP
    up = stack.enter_context(server.running(cache_dir=conf.cache_dir(), redis_url=redis_url, command=web))
    if workers:
        worker = channel_layer.WORKER if through_channels else elsewhere.WORKER
        stack.enter_context(elsewhere.workers(up, workers, command=worker))
    gallery.write(up.directory / "gallery.npz", cast)
    up.run_module(gallery.__name__, str(up.directory / "gallery.npz"))
    return _Installation(up, up.log_in(), redis_url)


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


def _summary(
    ours: _Installation,
    best: _BareWay,
    *,
    camera_fps: int | None,
    workers: int = 0,
    others: Sequence[_Installation] = (),
) -> LiveBenchmark:
    frames = ours.frames
    streams = [stream for streamed in ours.rounds for stream in streamed.streams]
    seconds = sum(streamed.seconds for streamed in ours.rounds)
    bare_fps = sum(run.frames for run in best.runs) / best.seconds
    p50_ms, p95_ms = ours.p_ms(50, 95)
    counts = _frames_by_stream(ours.rounds)
    return LiveBenchmark(
        streams=len(counts),
        camera_fps=camera_fps,
        fps=ours.fps,
        bare_fps=bare_fps,
        ratio=ours.fps / bare_fps,
        bare_p95_ms=float(np.percentile([ms for run in best.runs for ms in run.frame_ms], 95)),
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        analysed_share=len(frames) / sum(stream.made for stream in streams),
        dropped=sum(stream.dropped for stream in streams),
        slowest_fps=min(counts) / seconds,
        fastest_fps=max(counts) / seconds,
        fairness=min(counts) / max(counts),
        embeddings=sum(frame.embedded for frame in frames),
        bare_embeddings=sum(run.embedded for run in best.runs),
        near_share=sum(bool(frame.near) for frame in frames) / len(frames),
        runtime=best.pipeline.runtime,
        workers=workers,
        redis_commands_per_frame=ours.commands_per_frame,
        through_channels=_through_channels(others[0], bare_fps) if others else None,
    )


def _through_channels(other: _Installation, bare_fps: float) -> ThroughChannels:
    (p95_ms,) = other.p_ms(95)
    return ThroughChannels(other.fps, other.fps / bare_fps, p95_ms, other.commands / len(other.frames))


def _frames_by_stream(rounds: Iterable[Streamed]) -> list[int]:
    each = [[len(stream.analysed) for stream in streamed.streams] for streamed in rounds]
    return [sum(counts) for counts in zip(*each, strict=True)]
