"""What is kept of an uploaded video, and when it goes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from pytest_django import Settings

from recognition.decision.appearances import Appearance
from recognition.decision.verdict import Decision, Vote
from recognition.models import (
    AuditEntry,
    ErasureReason,
    EventCrop,
    Job,
    Person,
    RecognitionEvent,
    RetentionRule,
    Video,
    VideoAppearance,
    VideoPiece,
)
from recognition.selectors import packs
from recognition.selectors import videos as read
from recognition.services import erasure, jobs, retention, videos
from recognition.services.events import TransactionRecord
from recognition.services.frames import FrameTimings
from recognition.services.videos import Seen, VideoRefused, Watched
from tests import fakes

pytestmark = pytest.mark.django_db

HEAD = b"\x1a\x45\xdf\xa3 WebM, as far as anybody looks"
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def pieces_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "PIECE_BYTES", 10)


@pytest.fixture
def guard() -> User:
    return fakes.in_role("operator")


def uploaded(guard: User, content: bytes = HEAD, now: dt.datetime = fakes.NOW) -> Video:
    return videos.upload(file_name="hall.webm", size=len(content), chunks=iter([content]), actor=guard, now=now)


def record(person: Person, decision: Decision) -> TransactionRecord:
    found = fakes.candidates(0.9, first_person=person.pk)
    return TransactionRecord(
        decision=decision,
        leading=Vote(decision, found.best, None, None),
        votes=(),
        faults=(),
        active=packs.active(),
        quality=None,
        crop_jpeg=b"a probe",
        duration_s=1.0,
        timings=FrameTimings(),
        runtime="",
    )


def seen(number: int, person: Person, *, is_known: bool = True) -> Seen:
    decision = Decision.ACCEPT if is_known else Decision.REJECT_NO_MATCH
    face = Appearance(
        str(number),
        float(number),
        number + 2.0,
        decision,
        person_id=person.pk if is_known else None,
        person_name=person.name if is_known else "",
        similarity=0.9,
        crop_jpeg=b"a face",
        best_score=0.5,
    )
    return Seen(face, record(person, decision))


def watched(*faces: Seen) -> Watched:
    return Watched(12.5, broke_off=False, unusable=1, seen=faces)


@pytest.fixture
def ada() -> Person:
    fakes.activated_pack()
    return fakes.person("Ada", fakes.probe())


def stored(guard: User, *faces: Seen, now: dt.datetime = fakes.NOW) -> Video:
    video = uploaded(guard, now=now)
    videos.store(video=video, watched=watched(*faces), annotated=iter([b"a film with names"]), actor=guard)
    video.refresh_from_db()
    return video


def film(video: Video, which: str = "annotated", **part: int) -> bytes:
    return b"".join(read.film_pieces(video, VideoPiece.Film(which), **part))


class TestUpload:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "is empty"),
            (b"a text", "is no video"),
            (b"#EXTM3U\nhttp://127.0.0.1/secret.ts", "is no video"),
            (HEAD + bytes(2**20), "1 are taken"),
        ],
    )
    def test_what_is_refused_leaves_nothing(self, content: bytes, reason: str, guard: User, settings: Settings) -> None:
        settings.FACEWEB_VIDEO_MAX_MB = 1
        with pytest.raises(VideoRefused, match=reason):
            uploaded(guard, content)
        assert not any(model.objects.exists() for model in (Video, VideoPiece, Job))

    def test_without_room_nothing_is_taken(self, guard: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(videos, "room_bytes", lambda: len(HEAD) - 1)
        with pytest.raises(VideoRefused, match="no room"):
            uploaded(guard)

    def test_a_database_without_room_is_told(self, guard: User) -> None:
        def chunks() -> Iterator[bytes]:
            yield HEAD
            raise OperationalError from psycopg.errors.DiskFull()

        with pytest.raises(VideoRefused, match="database has no room"):
            videos.upload(file_name="a.webm", size=len(HEAD), chunks=chunks(), actor=guard, now=fakes.NOW)
        assert not Video.objects.exists()

    def test_it_is_kept_in_pieces_and_its_job_asked_for(self, guard: User) -> None:
        first, second = uploaded(guard), uploaded(guard)
        assert film(first, "uploaded") == HEAD
        assert film(first, "uploaded", start=8, stop=23) == HEAD[8:23]
        assert film(first, "uploaded", start=30) == HEAD[30:]
        assert read.film_bytes(first, VideoPiece.Film.UPLOADED) == len(HEAD)
        assert [video.job and video.job.state for video in (first, second)] == ["queued", "queued"]
        entry = AuditEntry.objects.filter(action="video.uploaded").earliest("pk")
        assert (entry.actor, entry.details) == (guard, {"bytes": len(HEAD)})


class TestStore:
    def test_all_that_was_found_is_stored_together(self, guard: User, ada: Person) -> None:
        video = stored(guard, seen(0, ada), seen(3, ada, is_known=False), Seen(Appearance("9", 5.0, 6.0), None))
        assert (film(video), video.duration_s, video.unusable) == (b"a film with names", 12.5, 1)
        known, unknown, undecided = read.appearances(video)
        assert (known.person_id, known.person_name, known.decision) == (ada.pk, "Ada", "accept")
        assert (unknown.person_id, unknown.first_s, unknown.last_s) == (None, 3.0, 5.0)
        assert undecided.decision is None
        assert len(read.events_of(video)) == 2
        event = RecognitionEvent.objects.get(decision="accept")
        assert (event.operator, event.reasons[-1]["reason"], event.reasons[-1]["measured"]) == (guard, "from_video", 0)

    def test_who_was_erased_meanwhile_is_in_none_of_it(self, guard: User, ada: Person) -> None:
        other = fakes.person("Bea", fakes.like_probe(0.2, axis=3))
        faces = (seen(0, ada), seen(3, other), seen(5, ada, is_known=False))
        erasure.request(person=ada, reason=ErasureReason.REQUESTED, actor=None, now=fakes.NOW)
        video = stored(guard, *faces)
        assert [each.person_name for each in read.appearances(video)] == ["Bea"]
        assert RecognitionEvent.objects.count() == 1
        assert not VideoPiece.objects.exists()

    def test_of_a_video_that_was_deleted_nothing_is_kept(self, guard: User, ada: Person) -> None:
        video = uploaded(guard)
        videos.delete(video=video, actor=guard, now=fakes.NOW)
        with pytest.raises(Video.DoesNotExist):
            videos.store(video=video, watched=watched(seen(0, ada)), annotated=iter([b"film"]), actor=guard)
        assert not RecognitionEvent.objects.exists()


class TestJobs:
    def test_cancelling_leaves_the_upload_to_be_watched_again(self, guard: User) -> None:
        video = uploaded(guard)
        assert not videos.may_watch_again(video)
        with pytest.raises(VideoRefused, match="being watched"):
            videos.watch_again(video=video, actor=guard)
        videos.cancel(video=video, actor=guard, now=fakes.NOW)
        with pytest.raises(VideoRefused, match="over already"):
            videos.cancel(video=video, actor=guard, now=fakes.NOW)
        video.refresh_from_db()
        assert video.job is not None
        assert (video.job.state, videos.may_watch_again(video)) == ("cancelled", True)
        assert videos.watch_again(video=video, actor=guard).state == "queued"

    def test_a_comparison_is_asked_for_by_id_or_name(self, guard: User, ada: Person) -> None:
        Person.objects.filter(pk=ada.pk).update(external_id="A1")
        fakes.person("Bea")
        fakes.person("Bea")
        video = uploaded(guard)
        for whom in ("A1", "Ada"):
            job = videos.ask_for_comparison(video=video, whom=whom, actor=guard)
            assert job.parameters == {"video": video.pk, "person": ada.pk}
        for whom, reason in (("", "Nobody"), ("Zoe", "Nobody"), ("Bea", "Several people")):
            with pytest.raises(VideoRefused, match=reason):
                videos.ask_for_comparison(video=video, whom=whom, actor=guard)
        VideoPiece.objects.all().delete()
        with pytest.raises(VideoRefused, match="no longer there"):
            videos.ask_for_comparison(video=video, whom="A1", actor=guard)


class TestGoing:
    def test_deleting_ends_what_is_done_with_it(self, guard: User, ada: Person) -> None:
        video = stored(guard, seen(0, ada))
        comparison = videos.ask_for_comparison(video=video, whom="Ada", actor=guard)
        videos.delete(video=video, actor=guard, now=fakes.NOW)
        comparison.refresh_from_db()
        assert comparison.state == "cancelled"
        assert not any(model.objects.exists() for model in (Video, VideoPiece, VideoAppearance))
        assert RecognitionEvent.objects.count() == 1
        assert AuditEntry.objects.filter(action="video.deleted", actor=guard).count() == 1
        videos.delete(video=video, actor=guard, now=fakes.NOW)  # gone already

    @pytest.mark.parametrize(
        ("rule", "age_days", "stays"),
        [
            ({}, 29, True),
            ({}, 30, False),
            ({"crop_days": 7}, 6, True),  # the class whose pictures go first
            ({"crop_days": 7}, 7, False),
            ({"event_days": 3}, 3, False),
            ({"event_days": 365}, 30, False),
        ],
    )
    def test_it_goes_when_the_first_of_its_pictures_would(
        self, rule: dict[str, int], age_days: int, stays: bool, guard: User, ada: Person
    ) -> None:
        RetentionRule.objects.filter(code="unknown").update(**rule)
        stored(guard, seen(0, ada))
        assert videos.forget_expired(now=fakes.NOW + age_days * DAY) == (not stays)
        assert Video.objects.exists() == stays

    def test_a_hold_keeps_it(self, guard: User, ada: Person) -> None:
        video = stored(guard, seen(0, ada))
        hold = retention.place_hold(event=RecognitionEvent.objects.get(), reason="a lawsuit", actor=None)
        assert videos.forget_expired(now=fakes.NOW + 99 * DAY) == 0
        with pytest.raises(VideoRefused, match="hold"):
            videos.delete(video=video, actor=guard, now=fakes.NOW)
        retention.lift_hold(hold=hold, actor=None, now=fakes.NOW)
        assert videos.forget_expired(now=fakes.NOW + 99 * DAY) == 1

    def test_an_erasure_takes_the_faces_and_the_films_of_the_person(self, guard: User, ada: Person) -> None:
        bea = fakes.person("Bea", fakes.like_probe(0.2, axis=3))
        both, other = stored(guard, seen(0, ada), seen(3, bea)), stored(guard, seen(0, bea))
        like_ada = stored(guard, seen(0, ada, is_known=False))
        asked = erasure.request(person=ada, reason=ErasureReason.REQUESTED, actor=None, now=fakes.NOW)
        assert [each.person_name for each in read.appearances(both)] == ["Bea"]
        assert (film(both), film(both, "uploaded")) == (b"", b"")
        assert film(other) == b"a film with names"
        # Whoever was only most like them loses the picture, as events do; nobody is named in the film.
        assert (read.appearances(like_ada), bool(film(like_ada))) == ((), True)
        assert not EventCrop.objects.filter(event__best_person=ada).exists()
        assert asked.certificate is not None
        deleted = asked.certificate.contents["deleted"]
        assert (deleted["video_appearances"], deleted["films"]) == (2, 2)


def test_one_open_job_of_another_kind_is_still_all_there_may_be(guard: User) -> None:
    jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=guard)
    with pytest.raises(jobs.JobRefused):
        jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=guard)
