"""The jobs on uploaded videos, with the real networks of the default pack."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from recognition.admin import job_detail
from recognition.jobs import running
from recognition.jobs import videos as video_jobs
from recognition.models import Job, Person, RecognitionEvent, Video, VideoAppearance, VideoPiece
from recognition.selectors import packs as active_packs
from recognition.selectors import videos as read
from recognition.services import jobs, videos
from recognition.vision.videos import Video as OpenVideo
from recognition.worker import packs
from recognition.worker.engine import Engine
from tests import faces, fakes, films

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def networks(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    packs.ensure_active()
    settings.FACEWEB_STATE_DIR = tmp_path / "state"
    (tmp_path / "state").mkdir()
    monkeypatch.setattr(video_jobs, "_engine", lambda: Engine(active_packs.active(), faces.default_pipeline()))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return films.of_the_astronaut(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture
def guard() -> User:
    return fakes.in_role("operator")


@pytest.fixture
def eileen() -> Person:
    pipeline = faces.default_pipeline()
    (embedded,) = pipeline.embed(faces.astronaut(), pipeline.find(faces.astronaut()))
    return fakes.person("Eileen", embedded.embedding)


def uploaded(guard: User, content: bytes) -> Video:
    return videos.upload(file_name="hall.mp4", size=len(content), chunks=iter([content]), actor=guard, now=fakes.NOW)


def run(job: Job | None, work: running.Work = video_jobs.watch) -> Job:
    assert job is not None
    running.run(job.pk, work, should_stop=lambda: False)
    job.refresh_from_db()
    return job


def left() -> list[Path]:
    return list(video_jobs._place().glob("*"))


def test_who_walks_through_is_found_drawn_and_stored(guard: User, eileen: Person, film: Path, tmp_path: Path) -> None:
    video = uploaded(guard, film.read_bytes())
    job = run(video.job)
    assert job.result == {"events": 1, "people": 1, "appearances": 1}
    assert job_detail.sentence(job) == "1 person was recognised, 1 event was stored."
    event = RecognitionEvent.objects.get()
    assert (event.decision, event.person, event.operator) == ("accept", eileen, guard)
    (appearance,) = read.appearances(video)
    assert appearance.first_s == pytest.approx(0.5, abs=0.11)
    assert appearance.last_s == pytest.approx(1.7, abs=0.11)
    assert VideoAppearance.objects.get().crop_jpeg
    annotated = tmp_path / "annotated.webm"
    annotated.write_bytes(b"".join(read.film_pieces(video, VideoPiece.Film.ANNOTATED)))
    with OpenVideo(annotated) as drawn:
        assert len(list(drawn.frames())) == 25
    assert left() == []
    assert not videos.may_watch_again(Video.objects.get())

    comparison = run(videos.ask_for_comparison(video=video, whom="Eileen", actor=guard), video_jobs.compare)
    assert comparison.result["decision"] == "accept"
    assert job_detail.sentence(comparison).startswith("Yes: mean similarity 0.")
    assert left() == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x00\x00\x00\x20ftypisom", "video_unreadable"),
        (b"\x1a\x45\xdf\xa3" + bytes(2000), "video_unreadable"),
    ],
)
def test_a_broken_file_is_told(content: bytes, code: str, guard: User) -> None:
    job = run(uploaded(guard, content).job)
    assert (job.error_code, left()) == (code, [])
    assert "broken or cut off" in job_detail.sentence(job)


def test_what_is_too_long_is_told_before_it_is_watched(guard: User, film: Path, settings: Settings) -> None:
    settings.FACEWEB_VIDEO_MAX_MINUTES = 0
    job = run(uploaded(guard, film.read_bytes()).job)
    assert (job.error_code, job.done) == ("video_too_long", 0)


def test_a_full_disk_is_told(guard: User, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_jobs, "REPORT_S", 0.0)
    monkeypatch.setattr(video_jobs, "ROOM_KEPT_BYTES", 2**62)
    job = run(uploaded(guard, film.read_bytes()).job)
    assert (job.error_code, left()) == ("no_room", [])


def test_cancelling_leaves_nothing_half_written(
    guard: User, eileen: Person, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_jobs, "REPORT_S", 0.0)
    video = uploaded(guard, film.read_bytes())
    assert video.job is not None
    told: list[str] = []
    progress = jobs.progress

    def cancelled_in_the_middle(**values: object) -> None:
        if values["done"] == 20:  # she was recognised by then
            job = Job.objects.get()
            told.append(job_detail.sentence(job))
            videos.cancel(video=video, actor=guard, now=fakes.NOW)
        progress(**values)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "progress", cancelled_in_the_middle)
    job = run(video.job)
    assert (job.state, told) == ("cancelled", ["76 % is watched, less than a minute is left."])
    assert not any(model.objects.exists() for model in (RecognitionEvent, VideoAppearance))
    assert not VideoPiece.objects.filter(film="annotated").exists()
    assert left() == []
    assert videos.may_watch_again(Video.objects.get())


def test_the_next_process_begins_it_anew_and_stores_it_once(
    guard: User, eileen: Person, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_jobs, "REPORT_S", 0.0)
    video = uploaded(guard, film.read_bytes())
    assert video.job is not None
    with pytest.raises(running.Stopping):
        running.run(video.job.pk, video_jobs.watch, should_stop=lambda: True)
    assert (left(), RecognitionEvent.objects.count()) == ([], 0)
    assert run(video.job).result["events"] == RecognitionEvent.objects.count() == 1


def test_what_a_killed_process_left_is_cleared_away(guard: User, film: Path) -> None:
    runs = Job.objects.create(kind="video", state="running")
    dead = Job.objects.create(kind="video", state="queued")
    for job in (runs, dead):
        (video_jobs._place() / str(job.pk)).mkdir(parents=True)
    video_jobs.clear_left()
    assert [folder.name for folder in left()] == [str(runs.pk)]


def test_a_video_that_is_gone_is_told(guard: User, film: Path) -> None:
    video = uploaded(guard, film.read_bytes())
    job = video.job
    VideoPiece.objects.all().delete()
    assert run(job).error_code == "video_gone"
