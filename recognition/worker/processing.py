"""One frame from JPEG to ranked people."""

from __future__ import annotations

import time
from collections.abc import Sequence

from recognition.decision.matching import CandidateList
from recognition.decision.policy import QualityGates
from recognition.selectors import gallery
from recognition.services.frames import (
    FrameOutcome,
    FrameStatus,
    FrameTask,
    FrameTimings,
    SearchKind,
    SearchScope,
    SeenFace,
    TrackHint,
)
from recognition.vision import codes, images, tracking
from recognition.vision.errors import ImageTooLarge, UnreadableImage
from recognition.vision.pipeline import SAMPLE_CROP
from recognition.vision.types import DetectedFace, EmbeddedFace, Embedding, ImageBgr, Quality
from recognition.worker.engine import Engine


def process(task: FrameTask, engine: Engine) -> FrameOutcome:
    """Analyses one frame.

    Args:
        task: the frame with the hints of its session.
        engine: what to analyse it with.

    Returns:
        The outcome; a frame that is not an image is one too.
    """
    clock = _Clock(task.received_at)
    try:
        image_bgr = images.decode(task.jpeg, images.FRAME_LIMITS)
    except ImageTooLarge:
        return FrameOutcome(FrameStatus.TOO_LARGE, timings=clock.timings())
    except UnreadableImage:
        return FrameOutcome(FrameStatus.UNREADABLE, timings=clock.timings())
    clock.lap("decode")
    if task.scope.reads_codes:
        return FrameOutcome(
            FrameStatus.ANALYSED,
            active=engine.active,
            runtime=engine.pipeline.runtime,
            timings=clock.timings(),
            codes=codes.read(image_bgr),
        )
    gates = engine.active.policy.gates if engine.active.policy else QualityGates()
    faces = engine.pipeline.find(image_bgr, smallest_face_px=gates.min_face_size_px, coarser=False)
    hints = _hints_by_face(faces, task.hints)
    clock.lap("detect")
    qualities = [engine.pipeline.measure(image_bgr, face) for face in faces]
    wanted = [
        index
        for index, (quality, hint) in enumerate(zip(qualities, hints, strict=True))
        if not gates.faults(quality) and _is_due(hint, quality)
    ]
    embedded = dict(zip(wanted, engine.pipeline.embed(image_bgr, [faces[i] for i in wanted]), strict=True))
    clock.lap("embed")
    seen = tuple(
        _seen(face, hint, quality, gates, embedded.get(index), engine, task.scope)
        for index, (face, hint, quality) in enumerate(zip(faces, hints, qualities, strict=True))
    )
    clock.lap("search")
    return FrameOutcome(FrameStatus.ANALYSED, seen, engine.active, engine.pipeline.runtime, clock.timings())


def _hints_by_face(faces: Sequence[DetectedFace], hints: Sequence[TrackHint]) -> list[TrackHint | None]:
    matched = tracking.match_boxes([face.box for face in faces], [hint.box for hint in hints])
    return [None if index is None else hints[index] for index in matched]


def _is_due(hint: TrackHint | None, quality: Quality) -> bool:
    return hint is None or hint.due or quality.score > hint.better_than


def _seen(
    face: DetectedFace,
    hint: TrackHint | None,
    quality: Quality,
    gates: QualityGates,
    embedded: EmbeddedFace | None,
    engine: Engine,
    scope: SearchScope,
) -> SeenFace:
    candidates, denied = _searched(embedded.embedding, engine, scope) if embedded else (None, None)
    return SeenFace(
        track_id=hint.track_id if hint else None,
        box=face.box,
        quality=embedded.quality if embedded else quality,
        faults=gates.faults(quality),
        candidates=candidates,
        crop_jpeg=embedded.crop_jpeg if embedded else b"",
        denied=denied,
    )


def _searched(embedding: Embedding, engine: Engine, scope: SearchScope) -> tuple[CandidateList, CandidateList | None]:
    """Whom a face is like and, for a claim, who of the deny list."""
    if scope.kind is SearchKind.IDENTIFY:
        return gallery.search(embedding, engine.active, exact=engine.exact), None
    # A claim of an id that nobody has takes as long as any other and fails at the end.
    claimed = CandidateList()
    if scope.person_id is not None:
        claimed = gallery.compare(embedding, engine.active, scope.person_id)
    return claimed, gallery.search_denied(embedding, engine.active)


def photo(image_bgr: ImageBgr, engine: Engine) -> tuple[EmbeddedFace, ...]:
    """Every face of a photo, embedded, the largest first."""
    faces = engine.pipeline.embed(image_bgr, engine.pipeline.find(image_bgr), kept=SAMPLE_CROP)
    return tuple(sorted(faces, key=lambda face: face.face.box.area, reverse=True))


class _Clock:
    """Times the steps of one frame."""

    def __init__(self, received_at: float) -> None:
        self._begin = self._lap = time.monotonic()
        self._waited_ms = (self._begin - received_at) * 1e3
        self._laps: dict[str, float] = {}

    def lap(self, step: str) -> None:
        now = time.monotonic()
        self._laps[step] = (now - self._lap) * 1e3
        self._lap = now

    def timings(self) -> FrameTimings:
        worker_ms = (time.monotonic() - self._begin) * 1e3
        return FrameTimings(waited=self._waited_ms, worker=worker_ms, **self._laps)
