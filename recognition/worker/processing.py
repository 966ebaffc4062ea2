"""One frame from JPEG to ranked people."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from recognition import conf
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
from recognition.vision import codes, images, tilt, tracking
from recognition.vision.errors import ImageTooLarge, InvalidArray, UnreadableImage
from recognition.vision.pipeline import SAMPLE_CROP
from recognition.vision.types import BoundingBox, DetectedFace, EmbeddedFace, Embedding, ImageBgr, Quality
from recognition.worker.engine import Engine


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a frame shows before its session's tracks are asked about.

    Args:
        status: ANALYSED, or why there is nothing to see.
        terms: how it was looked at; on other terms something else might have been seen.
        began_at: `time.monotonic()` when it began, in seconds.
        decode_ms: JPEG to pixels.
        detect_ms: finding and measuring faces.
        image_bgr: (height, width, 3) uint8 in the order blue, green, red.
        faces: found, best score first.
        qualities: one for each face.
        codes: texts of printed codes, where those were looked for.
        everywhere: whether faces were looked for in all of the frame.
    """

    status: FrameStatus
    terms: _Terms
    began_at: float
    decode_ms: float = 0.0
    detect_ms: float = 0.0
    image_bgr: ImageBgr | None = None
    faces: tuple[DetectedFace, ...] = ()
    qualities: tuple[Quality, ...] = ()
    codes: tuple[str, ...] = ()
    everywhere: bool = False

    def answers(self, scope: SearchScope, engine: Engine) -> bool:
        """Whether the same would be seen of the frame now."""
        is_wide_enough = self.everywhere or bool(scope.near) or self.image_bgr is None
        return is_wide_enough and self.terms == _terms(scope, engine)


_Terms = tuple[str, float, bool, float | None]
"""Digest of the pack, smallest face in pixels, whether printed codes are read, the tilt that faces may have."""


def _terms(scope: SearchScope, engine: Engine) -> _Terms:
    # In steps, so that what was seen ahead need not be looked at again for a head that moved a little.
    guess = round(scope.tilt_degrees / tilt.STEP_DEGREES) * float(tilt.STEP_DEGREES)
    tilt_guess = guess if conf.looks_for_tilted_faces() else None
    return engine.pipeline.pack_digest, _gates(engine).min_face_size_px, scope.reads_codes, tilt_guess


def _gates(engine: Engine) -> QualityGates:
    return engine.active.policy.gates if engine.active.policy else QualityGates()


def look(jpeg: bytes, scope: SearchScope, engine: Engine) -> Look:
    """Decodes a frame and finds and measures what is in it.

    Args:
        jpeg: the frame as it came.
        scope: what is looked for.
        engine: what to look with.

    Returns:
        What there is; a frame that is not an image is a look too.
    """
    began_at = time.monotonic()
    terms = _terms(scope, engine)
    try:
        image_bgr = images.decode(jpeg, images.FRAME_LIMITS)
    except ImageTooLarge:
        return Look(FrameStatus.TOO_LARGE, terms, began_at)
    except UnreadableImage:
        return Look(FrameStatus.UNREADABLE, terms, began_at)
    decoded_at = time.monotonic()
    decode_ms = (decoded_at - began_at) * 1e3
    if scope.reads_codes:
        return Look(FrameStatus.ANALYSED, terms, began_at, decode_ms, codes=codes.read(image_bgr))
    return _found(Look(FrameStatus.ANALYSED, terms, began_at, decode_ms), image_bgr, engine, near=scope.near)


def look_at(image_bgr: ImageBgr, scope: SearchScope, engine: Engine) -> Look:
    """Finds and measures the faces of a frame that is decoded already.

    Args:
        image_bgr: (height, width, 3) uint8 in the order blue, green, red.
        scope: what is looked for; not codes.
        engine: what to look with.
    """
    seen = Look(FrameStatus.ANALYSED, _terms(scope, engine), time.monotonic())
    return _found(seen, image_bgr, engine, near=scope.near)


def _found(seen: Look, image_bgr: ImageBgr, engine: Engine, *, near: Sequence[BoundingBox] = ()) -> Look:
    """The same look with the faces that are there: around some boxes, or everywhere where there are none."""
    began_at = time.monotonic()
    pipeline = engine.pipeline
    _, smallest_face_px, _, tilt_guess = seen.terms
    if tilt_guess is not None:
        # What is tilted is not found around where it was by looking at it as it is.
        near = ()
    try:
        faces = pipeline.find_near(image_bgr, near)
    except InvalidArray:
        # Boxes of a picture of another size: the camera was turned.
        near = ()
    if not near:
        faces = pipeline.find(image_bgr, smallest_face_px=smallest_face_px, coarser=False, tilt_guess=tilt_guess)
    qualities = tuple(pipeline.measure(image_bgr, face) for face in faces)
    detect_ms = seen.detect_ms + (time.monotonic() - began_at) * 1e3
    return dataclasses.replace(
        seen, image_bgr=image_bgr, detect_ms=detect_ms, faces=faces, qualities=qualities, everywhere=not near
    )


def process(task: FrameTask, engine: Engine, ahead: Look | None = None) -> FrameOutcome:
    """Analyses one frame.

    Args:
        task: the frame with the hints of its session.
        engine: what to analyse it with.
        ahead: what was seen of it while the session's last frame was analysed.

    Returns:
        The outcome; a frame that is not an image is one too.
    """
    shown = ahead
    if shown is None or not shown.answers(task.scope, engine):
        shown = look(task.jpeg, task.scope, engine)
    hints = _hints_by_face(shown.faces, task.hints)
    if shown.image_bgr is not None and not shown.everywhere and not _are_just(hints, task.hints):
        # Somebody left, or came into what was searched: then what else there is matters too.
        shown = _found(shown, shown.image_bgr, engine)
        hints = _hints_by_face(shown.faces, task.hints)
    clock = _Clock(task.received_at, shown)
    if shown.image_bgr is None:
        is_read = shown.status is FrameStatus.ANALYSED
        return FrameOutcome(
            shown.status,
            active=engine.active if is_read else None,
            runtime=engine.pipeline.runtime if is_read else "",
            timings=clock.timings(),
            codes=shown.codes,
        )
    gates = _gates(engine)
    wanted = [
        index
        for index, (quality, hint) in enumerate(zip(shown.qualities, hints, strict=True))
        if not gates.faults(quality) and _is_due(hint, quality)
    ]
    vectors = engine.pipeline.embed(shown.image_bgr, [shown.faces[index] for index in wanted])
    embedded = dict(zip(wanted, vectors, strict=True))
    clock.lap("embed")
    seen = tuple(
        _seen(face, hint, quality, gates, embedded.get(index), engine, task.scope)
        for index, (face, hint, quality) in enumerate(zip(shown.faces, hints, shown.qualities, strict=True))
    )
    clock.lap("search")
    return FrameOutcome(
        FrameStatus.ANALYSED,
        seen,
        engine.active,
        engine.pipeline.runtime,
        clock.timings(),
        everywhere=shown.everywhere,
    )


def _hints_by_face(faces: Sequence[DetectedFace], hints: Sequence[TrackHint]) -> list[TrackHint | None]:
    matched = tracking.match_boxes([face.box for face in faces], [hint.box for hint in hints])
    return [None if index is None else hints[index] for index in matched]


def _are_just(found: Sequence[TrackHint | None], hints: Sequence[TrackHint]) -> bool:
    """Whether faces are those of the tracks, all of them and nobody else."""
    return None not in found and len(found) == len(hints)


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
    found = engine.pipeline.find(image_bgr, tilt_guess=0.0)
    faces = engine.pipeline.embed(image_bgr, found, kept=SAMPLE_CROP)
    return tuple(sorted(faces, key=lambda face: face.face.box.area, reverse=True))


class _Clock:
    """Times the steps of one frame."""

    def __init__(self, received_at: float, ahead: Look) -> None:
        self._lap = time.monotonic()
        self._waited_ms = max(ahead.began_at - received_at, 0.0) * 1e3
        self._laps = {"decode": ahead.decode_ms, "detect": ahead.detect_ms}

    def lap(self, step: str) -> None:
        now = time.monotonic()
        self._laps[step] = (now - self._lap) * 1e3
        self._lap = now

    def timings(self) -> FrameTimings:
        return FrameTimings(waited=self._waited_ms, worker=sum(self._laps.values()), **self._laps)
