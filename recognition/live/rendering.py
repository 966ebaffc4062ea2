"""Turns what a session knows into messages for the page."""

from __future__ import annotations

from typing import cast

from recognition.decision.policy import SampleReason
from recognition.decision.verdict import Decision, Vote
from recognition.live import messages
from recognition.live.session import FaceView, Update
from recognition.models import RecognitionEvent
from recognition.selectors.alerts import OpenAlerts
from recognition.selectors.packs import ActivePack, GalleryState
from recognition.services.frames import FrameOutcome, FrameTimings


def result(
    *,
    sequence: int,
    update: Update,
    outcome: FrameOutcome,
    server_ms: float,
    window: int,
    dropped: int,
) -> messages.Result:
    """The answer to a frame that was analysed."""
    return messages.Result(
        type="result",
        sequence=sequence,
        status="analysed",
        faces=[_face(view) for view in update.faces],
        embedded=sum(face.candidates is not None for face in outcome.faces),
        everywhere=outcome.everywhere,
        timings=_timings(outcome.timings, server_ms),
        window=window,
        dropped=dropped,
    )


def empty_result(*, sequence: int, failed: bool, server_ms: float, window: int, dropped: int) -> messages.Result:
    """The answer to a frame that was dropped, or that the worker failed at."""
    return messages.Result(
        type="result",
        sequence=sequence,
        status="failed" if failed else "dropped",
        faces=[],
        embedded=0,
        everywhere=False,
        timings=_timings(FrameTimings(), server_ms),
        window=window,
        dropped=dropped,
    )


def decision(*, track_id: str, event: RecognitionEvent, leading: Vote | None) -> messages.Decision:
    """The news that an event was stored."""
    best = leading.best if leading else None
    accepted = event.decision == Decision.ACCEPT
    return messages.Decision(
        type="decision",
        track=track_id,
        event=event.pk,
        time=event.decided_at.isoformat(),
        decision=event.decision,
        person=messages.Person(id=best.person_id, name=best.person_name) if accepted and best else None,
        similarity=event.similarity,
        margin=event.margin,
    )


def notice(active: ActivePack, gallery: GalleryState, *, trouble: messages.Trouble) -> messages.Notice:
    """The state of the installation, the gravest first."""
    if trouble:
        code = messages.NoticeCode(trouble)
    elif active.policy is None:
        code = messages.NoticeCode.PACK_WITHOUT_THRESHOLDS
    elif gallery.needs_reembedding:
        code = messages.NoticeCode.NEEDS_REEMBEDDING
    elif gallery.people == 0:
        code = messages.NoticeCode.GALLERY_EMPTY
    else:
        code = messages.NoticeCode.READY
    return messages.Notice(type="notice", code=code.value, people=gallery.people)


def alert(found: OpenAlerts | None) -> messages.Alert:
    """The alerts that are open, or that there is none any more."""
    if found is None:
        return messages.Alert(type="alert", open=0, event=0, place="", time="")
    return messages.Alert(
        type="alert", open=found.count, event=found.event_id, place=str(found.place), time=found.at.isoformat()
    )


def _face(view: FaceView) -> messages.Face:
    best = view.leading.best if view.leading else None
    known = view.decision is Decision.ACCEPT
    state: messages.FaceState = "deciding"
    if view.decision is not None:
        state = "known" if known else "unknown"
    return messages.Face(
        track=view.track_id,
        box=messages.Box(
            x=round(view.box.x_min, 1),
            y=round(view.box.y_min, 1),
            width=round(view.box.width, 1),
            height=round(view.box.height, 1),
        ),
        state=state,
        # Only a decided face is named: the nearest person to a stranger is nobody's business.
        person=messages.Person(id=best.person_id, name=best.person_name) if known and best else None,
        similarity=round(best.similarity, 3) if best else None,
        votes=view.votes,
        advice=_advice(view.fault.reason if view.fault else None),
    )


def _advice(reason: SampleReason | None) -> messages.Advice:
    return cast(messages.Advice, reason.value if reason else "")


def _timings(timings: FrameTimings, server_ms: float) -> messages.Timings:
    return messages.Timings(
        waited=round(timings.waited, 2),
        decode=round(timings.decode, 2),
        detect=round(timings.detect, 2),
        embed=round(timings.embed, 2),
        search=round(timings.search, 2),
        worker=round(timings.worker, 2),
        server=round(server_ms, 2),
    )
