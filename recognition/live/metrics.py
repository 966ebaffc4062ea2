"""Sessions and their frames, counted where they pass.

Nothing here is labelled by a person, a session, a kiosk or a checkpoint: who may read the numbers learns how much there
is to do, never of whom. One observation costs a microsecond or two, so every frame is counted.
"""

from __future__ import annotations

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

from recognition.services.frames import FrameOutcome, FrameStatus

REGISTRY = CollectorRegistry()
"""What this process counts."""

Unused = Literal["superseded", "unwanted"]
"""Why a frame was not looked at: a newer one came, or nothing would have been done with it."""

STAGE_BUCKETS_S = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
"""From a detection on a small input to the time after which a frame has failed."""

_SESSIONS = Gauge("faceweb_sessions", "Open pages with a camera.", ["kind"], registry=REGISTRY)
_RECEIVED = Counter("faceweb_frames_received", "Camera frames that came.", registry=REGISTRY)
_ANSWERED = Counter(
    "faceweb_frames_answered",
    "Frames that a recognition process was asked about, by how that ended; failed ones include those without an answer"
    " in time.",
    ["status"],
    registry=REGISTRY,
)
_DROPPED = Counter(
    "faceweb_frames_dropped",
    "Frames that nobody looked at: superseded by a newer one, or unwanted, because nothing would have been done.",
    ["reason"],
    registry=REGISTRY,
)
_STAGES = Histogram(
    "faceweb_frame_stage_seconds",
    "Time of an analysed frame in each stage; embed and search of frames in which a face was embedded, total from its"
    " arrival to its answer.",
    ["stage"],
    buckets=STAGE_BUCKETS_S,
    registry=REGISTRY,
)
_RUNTIME = Info(
    "faceweb_recognition", "What ran the networks for the last frame, and the model pack.", registry=REGISTRY
)
ProcessCollector(registry=REGISTRY)

# Found once: to look a label up costs as much as to count.
_answered = {status: _ANSWERED.labels(status) for status in FrameStatus}
_dropped = {reason: _DROPPED.labels(reason) for reason in ("superseded", "unwanted")}
_waited, _decode, _detect, _embed, _search, _total = (
    _STAGES.labels(stage) for stage in ("waited", "decode", "detect", "embed", "search", "total")
)
_last_run = ("", "")


def opened(kind: str) -> None:
    """Counts a page with a camera; see `CameraSocket.kind`."""
    _SESSIONS.labels(kind).inc()


def closed(kind: str) -> None:
    """Counts it no longer."""
    _SESSIONS.labels(kind).dec()


def received() -> None:
    """Counts a frame that came."""
    _RECEIVED.inc()


def dropped(reason: Unused) -> None:
    """Counts a frame that was not looked at."""
    _dropped[reason].inc()


def answered(outcome: FrameOutcome, server_ms: float) -> None:
    """Counts what a recognition process said of a frame.

    Args:
        outcome: what it said.
        server_ms: from the frame's arrival.
    """
    _answered[outcome.status].inc()
    if outcome.status is not FrameStatus.ANALYSED:
        return
    timings = outcome.timings
    _waited.observe(timings.waited / 1e3)
    _decode.observe(timings.decode / 1e3)
    _detect.observe(timings.detect / 1e3)
    if any(face.candidates is not None for face in outcome.faces):
        _embed.observe(timings.embed / 1e3)
        _search.observe(timings.search / 1e3)
    _total.observe(server_ms / 1e3)
    _note_runtime(outcome)


def _note_runtime(outcome: FrameOutcome) -> None:
    global _last_run  # noqa: PLW0603  # it changes once in months
    run = (outcome.runtime, outcome.active.name if outcome.active else "")
    if run != _last_run:
        _last_run = run
        _RUNTIME.info({"runtime": run[0], "pack": run[1]})
