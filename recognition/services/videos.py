"""Keeps uploaded videos and what was found in them, and removes them."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import shutil
from collections.abc import Iterable, Iterator, Sequence

import psycopg
from django.contrib.auth.models import User
from django.db import OperationalError, transaction
from django.utils.translation import gettext

from recognition import conf
from recognition.decision.appearances import Appearance
from recognition.models import AuditAction, Job, Person, Video, VideoAppearance, VideoPiece
from recognition.selectors import people as people_read
from recognition.selectors import videos as read
from recognition.services import audit, deadlines, events, holds, jobs
from recognition.services.events import TransactionRecord
from recognition.vision import videos

COPIES = 3
"""How often a video needs its size of room: as it came, as the job reads it, and with names."""

UNREADABLE = ("video_unreadable", "video_too_long")
"""Codes of jobs that failed at a video which no job can read."""

STORING_S = 120.0
"""For the last statements of a transaction that stores all that was found in a video."""


class VideoRefused(Exception):
    """Nothing was changed; the text is for the person who wanted it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """A face of a video as it is to be stored.

    Args:
        appearance: when it was there, and its best view.
        record: what its event keeps; None where nothing was decided.
    """

    appearance: Appearance
    record: TransactionRecord | None


@dataclasses.dataclass(frozen=True, slots=True)
class Watched:
    """What was found in a video.

    Args:
        duration_s: when its last frame is shown.
        broke_off: whether frames are missing at its end.
        unusable: faces that no frame showed well enough.
        seen: the others, in the order in which they came.
    """

    duration_s: float
    broke_off: bool
    unusable: int
    seen: Sequence[Seen]


def room_bytes() -> int:
    """How large a video may be for what is free on the disk of the state directory."""
    return shutil.disk_usage(conf.state_dir()).free // COPIES


def upload(*, file_name: str, size: int, chunks: Iterable[bytes], actor: User, now: dt.datetime) -> Video:
    """Keeps a video, and asks for the job that watches it.

    Args:
        file_name: what the uploader calls it.
        size: how many bytes it has.
        chunks: its bytes, in pieces of any size.
        actor: who uploads.
        now: with a time zone.

    Raises:
        VideoRefused: when it is empty, too large or no video, or there is no room; then nothing is kept.
    """
    _require_size(size)
    try:
        return _stored(file_name, size, chunks, actor, now)
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg.errors.DiskFull):
            raise
        raise VideoRefused(
            gettext("The database has no room left for it. Delete old videos, or get more room.")
        ) from error


def _require_size(size: int) -> None:
    if not size:
        raise VideoRefused(gettext("The file is empty."))
    if size > conf.video_max_bytes():
        raise VideoRefused(
            gettext("The video has %(has)d MB; at most %(most)d are taken (FACEWEB_VIDEO_MAX_MB).")
            % {"has": -(-size // 2**20), "most": conf.video_max_bytes() // 2**20}
        )
    if size > room_bytes():
        raise VideoRefused(
            gettext(
                "There is no room for it: a video needs %(copies)d times its size while it is watched, and %(free)d MB "
                "are free on the server. Delete old videos, or get more room."
            )
            % {"copies": COPIES, "free": room_bytes() * COPIES // 2**20}
        )


@transaction.atomic
def _stored(file_name: str, size: int, chunks: Iterable[bytes], actor: User, now: dt.datetime) -> Video:
    video = Video.objects.create(
        file_name=file_name[: Video._meta.get_field("file_name").max_length], uploaded_by=actor, uploaded_at=now
    )
    for number, piece in enumerate(_pieces(chunks)):
        if not number and not videos.is_video(piece):
            raise VideoRefused(gettext("This is no video: MP4, MOV, Matroska, WebM, AVI and MPEG are read."))
        _add_piece(video, VideoPiece.Film.UPLOADED, number, piece)
    video.job = jobs.request(kind=Job.Kind.VIDEO, parameters={"video": video.pk}, actor=actor)
    video.save(update_fields=["job"])
    audit.record(action=AuditAction.VIDEO_UPLOADED, actor=actor, subject=video, details={"bytes": size})
    return video


@transaction.atomic
def store(*, video: Video, watched: Watched, annotated: Iterable[bytes], actor: User | None) -> int:
    """Keeps all that was found in a video: events, timeline, and the copy with names.

    Who was erased while it was watched is in none of it; then there are no films any more either, because nobody can be
    cut out of one.

    Args:
        video: which one.
        watched: what was found.
        annotated: the copy with names, in pieces of any size.
        actor: who uploaded it; None for nobody any more.

    Returns:
        How many events were stored.

    Raises:
        Video.DoesNotExist: when it was deleted meanwhile.
    """
    holds.reserve()
    held = Video.objects.select_for_update().get(pk=video.pk)
    named = {each.appearance.person_id for each in watched.seen if each.appearance.person_id is not None}
    meant = named.union(*map(_people_of, watched.seen))
    # An erasure of one of them waits until then; decisions of cameras that name them do not.
    rows = Person.objects.select_for_update(no_key=True).filter(pk__in=meant).order_by("pk")
    there = set(rows.values_list("pk", flat=True))
    if named <= there:
        for number, piece in enumerate(_pieces(annotated)):
            _add_piece(held, VideoPiece.Film.ANNOTATED, number, piece)
    else:
        held.pieces.all().delete()
    kept = [_appearance(held, each, actor) for each in watched.seen if _people_of(each) <= there]
    # An event limits what follows it to the time that somebody waits at a door.
    deadlines.limit(STORING_S)
    VideoAppearance.objects.bulk_create(kept)
    held.duration_s, held.broke_off, held.unusable = watched.duration_s, watched.broke_off, watched.unusable
    held.save(update_fields=["duration_s", "broke_off", "unusable"])
    return sum(row.event_id is not None for row in kept)


def _people_of(seen: Seen) -> set[int]:
    """Whom a face is, or is most like."""
    best = seen.record.leading.best if seen.record is not None and seen.record.leading is not None else None
    numbers = (seen.appearance.person_id, best.person_id if best is not None else None)
    return {number for number in numbers if number is not None}


def _appearance(video: Video, seen: Seen, actor: User | None) -> VideoAppearance:
    each, event = seen.appearance, None
    if seen.record is not None:
        reasons = (events.from_video(each.first_s),)
        event = events.record(transaction=seen.record, operator=actor, more_reasons=reasons)
    return VideoAppearance(
        video=video,
        first_s=each.first_s,
        last_s=each.last_s,
        decision=each.decision.value if each.decision else "",
        person_id=each.person_id,
        similarity=each.similarity,
        event=event,
        crop_jpeg=each.crop_jpeg,
        score=each.best_score,
    )


@transaction.atomic
def cancel(*, video: Video, actor: User, now: dt.datetime) -> None:
    """Ends what is done with a video; nothing of what was seen is kept.

    Raises:
        VideoRefused: when it is over already.
    """
    if not _cancelled(video, actor, now):
        raise VideoRefused(gettext("The job is over already; there is nothing to cancel."))


def _cancelled(video: Video, actor: User | None, now: dt.datetime) -> int:
    held = list(read.jobs_of(video).filter(state__in=Job.OPEN).select_for_update())
    for job in held:
        jobs.cancel(job=job, actor=actor, now=now)
    return len(held)


@transaction.atomic
def watch_again(*, video: Video, actor: User) -> Job:
    """Asks anew for the job that watches a video, where the one before failed or was cancelled.

    Raises:
        VideoRefused: when it did not, or the film is gone.
    """
    held = Video.objects.select_for_update().filter(pk=video.pk).first()
    if held is None or not read.film_bytes(held, VideoPiece.Film.UPLOADED):
        raise VideoRefused(_film_is_gone())
    if not may_watch_again(held):
        raise VideoRefused(gettext("It is being watched, or was watched already."))
    held.job = jobs.request(kind=Job.Kind.VIDEO, parameters={"video": held.pk}, actor=actor)
    held.save(update_fields=["job"])
    return held.job


def may_watch_again(video: Video) -> bool:
    """Whether a video was to be watched and nothing came of it."""
    return video.duration_s is None and (video.job is None or not video.job.is_open)


def may_compare(video: Video) -> bool:
    """Whether a person can be compared with a video: it is there, and nothing said that it cannot be read."""
    is_unreadable = video.job is not None and video.job.error_code in UNREADABLE
    return not is_unreadable and bool(read.film_bytes(video, VideoPiece.Film.UPLOADED))


@transaction.atomic
def ask_for_comparison(*, video: Video, whom: str, actor: User) -> Job:
    """Asks for the job that compares a person with a video.

    Args:
        video: which one.
        whom: external id, or name.
        actor: who asks.

    Raises:
        VideoRefused: when nobody or several people are called so, or the film is gone or cannot be read.
    """
    found = list(filter(None, [people_read.claimed(whom)])) or list(people_read.named(whom)[:2])
    if not found:
        raise VideoRefused(gettext("Nobody is enrolled by that external id or name."))
    if len(found) > 1:
        raise VideoRefused(gettext("Several people have that name: give an external id."))
    if not read.film_bytes(video, VideoPiece.Film.UPLOADED):
        raise VideoRefused(_film_is_gone())
    if not may_compare(video):
        raise VideoRefused(gettext("The video cannot be read, so nobody can be compared with it."))
    return jobs.request(
        kind=Job.Kind.VIDEO_COMPARISON, parameters={"video": video.pk, "person": found[0].pk}, actor=actor
    )


@transaction.atomic
def note_download(*, video: Video, what: str, actor: User) -> None:
    """Writes down that somebody took a copy away.

    Args:
        video: of which one.
        what: "annotated" or "csv".
        actor: who.
    """
    audit.record(action=AuditAction.VIDEO_DOWNLOADED, actor=actor, subject=video, details={"what": what})


@transaction.atomic
def delete(*, video: Video, actor: User | None, now: dt.datetime) -> None:
    """Removes a video with all that belongs to it but its events; a job that is at it ends.

    Raises:
        VideoRefused: when a hold keeps it.
    """
    holds.let_none_come()
    held = Video.objects.select_for_update().filter(pk=video.pk).first()
    if held is None:
        return
    if Video.objects.filter(read.is_held(), pk=held.pk).exists():
        raise VideoRefused(gettext("A hold keeps somebody who is in it. It must be lifted first."))
    _cancelled(held, actor, now)
    audit.record(action=AuditAction.VIDEO_DELETED, actor=actor, subject=held)
    held.delete()


def forget_expired(*, now: dt.datetime) -> int:
    """Removes videos that were kept long enough; how many there were."""
    count = 0
    for video in read.due(now=now):
        with contextlib.suppress(VideoRefused):  # a hold came a moment ago
            delete(video=video, actor=None, now=now)
            count += 1
    return count


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of the size in which they are stored."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= read.PIECE_BYTES:
            yield bytes(waiting[: read.PIECE_BYTES])
            del waiting[: read.PIECE_BYTES]
    if waiting:
        yield bytes(waiting)


def _add_piece(video: Video, film: VideoPiece.Film, number: int, data: bytes) -> None:
    VideoPiece.objects.create(video=video, film=film, number=number, data=data)


def _film_is_gone() -> str:
    return gettext("The video as it was uploaded is no longer there.")
