"""Uploaded videos: what was found in each, its films piece by piece, and which of them were kept long enough."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Generator

from django.db.models import BigIntegerField, Exists, Func, Min, OuterRef, Q, QuerySet, Sum

from recognition import conf
from recognition.decision.appearances import Appearance
from recognition.decision.verdict import Decision
from recognition.models import Job, RecognitionEvent, RetentionRule, Video, VideoAppearance, VideoPiece
from recognition.selectors import legal, people

PIECE_BYTES = 2**20
"""Of every piece of a film but its last; so much of one is in memory at once."""


class _Bytes(Func):
    """How many bytes a column holds, without reading them."""

    function = "octet_length"
    output_field = BigIntegerField()


def film_bytes(video: Video, film: VideoPiece.Film) -> int:
    """How large a film is; 0 where there is none, or none any more."""
    found = VideoPiece.objects.filter(video=video, film=film).aggregate(size=Sum(_Bytes("data")))
    return int(found["size"] or 0)


def film_pieces(video: Video, film: VideoPiece.Film, *, start: int = 0, stop: int | None = None) -> Generator[bytes]:
    """A film, or a part of it, one piece at a time.

    Args:
        video: whose.
        film: which one.
        start: its first byte.
        stop: the byte before which it ends; at its end where left out.
    """
    number = start // PIECE_BYTES
    while stop is None or number * PIECE_BYTES < stop:
        data = VideoPiece.objects.filter(video=video, film=film, number=number).values_list("data", flat=True).first()
        if data is None:
            return
        begin = number * PIECE_BYTES
        yield bytes(data)[max(start - begin, 0) : None if stop is None else stop - begin]
        number += 1


def appearances(video: Video) -> tuple[Appearance, ...]:
    """Who was seen, in the order in which they came, without their pictures; `track_id` is the primary key.

    Who was merged into somebody else meanwhile is called like them.
    """
    rows = video.appearances.select_related("person__merged_into").defer("crop_jpeg")
    return tuple(map(_appearance, rows))


def _appearance(row: VideoAppearance) -> Appearance:
    person = people.following_merges(row.person) if row.person is not None else None
    return Appearance(
        str(row.pk),
        row.first_s,
        row.last_s,
        Decision(row.decision) if row.decision else None,
        person.pk if person is not None else None,
        person.name if person is not None else "",
        row.similarity,
        best_score=row.score,
    )


def events_of(video: Video) -> dict[str, int]:
    """The event of each appearance that has one, by the primary key of the appearance as text."""
    rows = video.appearances.exclude(event=None).values_list("pk", "event_id")
    return {str(number): event for number, event in rows}


def showing(rows: Collection[int]) -> QuerySet[VideoAppearance]:
    """Appearances whose picture is, or is held to be, of one of those people."""
    return VideoAppearance.objects.filter(Q(person__in=rows) | Q(event__in=legal.events_showing(rows)))


def naming(rows: Collection[int]) -> QuerySet[Video]:
    """Videos that one of those people was recognised in, or that a picture of theirs comes from."""
    theirs = Q(person__in=rows) | Q(event__in=legal.events_of(rows))
    return Video.objects.filter(Exists(VideoAppearance.objects.filter(theirs, video=OuterRef("pk"))))


def jobs_of(video: Video) -> QuerySet[Job]:
    """The jobs that watch a video and that compare people with it, the newest first."""
    return Job.objects.filter(kind__in=(Job.Kind.VIDEO, Job.Kind.VIDEO_COMPARISON), parameters__video=video.pk)


def of_job(job: Job) -> Video | None:
    """The video that a job watches or compares with; None for other jobs, and where it is gone."""
    if job.kind not in (Job.Kind.VIDEO, Job.Kind.VIDEO_COMPARISON):
        return None
    return Video.objects.filter(pk=job.parameters["video"]).first()


def kept_days() -> int:
    """Days that a video is kept: it shows faces of every class, so it goes when the first of them would."""
    shortest = RetentionRule.objects.aggregate(events=Min("event_days"), crops=Min("crop_days"))
    return min([conf.video_days(), *(int(days) for days in shortest.values() if days is not None)])


def due(*, now: dt.datetime) -> QuerySet[Video]:
    """Videos that were kept long enough, but for those that show somebody whom a hold keeps."""
    old = Video.objects.filter(uploaded_at__lte=now - dt.timedelta(days=kept_days()))
    return old.exclude(is_held())


def is_held() -> Exists:
    """Whether a hold keeps an event of a video, and so the video that it was seen in."""
    held = RecognitionEvent.objects.filter(legal.held_events())
    return Exists(VideoAppearance.objects.filter(video=OuterRef("pk"), event__in=held))
