"""The pages of videos: upload, what is shown of one, and what is taken away of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from recognition.models import AuditEntry, Job, Person, Video, VideoAppearance, VideoPiece
from recognition.selectors import videos as read
from tests import fakes

pytestmark = pytest.mark.django_db

HEAD = b"\x00\x00\x00\x20ftypisom"
FILM = bytes(range(100))


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(fakes.in_role("operator"))
    return client


@pytest.fixture
def auditor(client: Client) -> Client:
    client.force_login(fakes.in_role("auditor"))
    return client


@pytest.fixture
def video(monkeypatch: pytest.MonkeyPatch) -> Video:
    monkeypatch.setattr(read, "PIECE_BYTES", 30)
    made = Video.objects.create(file_name="hall.mp4", uploaded_at=timezone.now(), duration_s=75.0, unusable=2)
    for number in range(4):
        VideoPiece.objects.create(
            video=made, film="annotated", number=number, data=FILM[30 * number : 30 * (number + 1)]
        )
    return made


def appear(video: Video, first_s: float, person: Person | None = None, **more: Any) -> VideoAppearance:
    fields = {"decision": "accept" if person else "reject_no_match", "similarity": 0.8, "crop_jpeg": b"x", **more}
    return VideoAppearance.objects.create(
        video=video, first_s=first_s, last_s=first_s + 5, person=person, score=0.5, **fields
    )


def page(client: Client, video: Video) -> str:
    response = client.get(reverse("admin:recognition_video_change", args=[video.pk]))
    assert response.status_code == 200
    return response.content.decode()


def posted(client: Client, video: Video, name: str, **fields: str) -> HttpResponse:
    response: Any = client.post(reverse(f"admin:recognition_video_{name}", args=[video.pk]), fields, follow=True)
    return response  # type: ignore[no-any-return]


class TestUpload:
    address = "/admin/recognition/video/add/"

    def test_an_upload_is_to_be_watched(self, operator: Client) -> None:
        file = SimpleUploadedFile("hall.mp4", HEAD)
        response = operator.post(self.address, {"upload": file}, HTTP_ACCEPT="application/json")
        video = Video.objects.get()
        assert response.json() == {"location": reverse("admin:recognition_video_change", args=[video.pk])}
        assert video.job is not None
        text = page(operator, video)
        assert "It waits for its turn." in text
        assert "No process takes jobs" in text
        posted(operator, video, "cancel")
        assert "Watch it again" in page(operator, video)
        posted(operator, video, "again")
        assert Job.objects.filter(state="queued").count() == 1

    @pytest.mark.parametrize(("content", "reason"), [(b"", "is empty"), (b"a text", "This is no video")])
    @pytest.mark.parametrize("accept", ["application/json", "text/html"])
    def test_what_is_refused_says_why(self, content: bytes, reason: str, accept: str, operator: Client) -> None:
        file = SimpleUploadedFile("a.mp4", content)
        response = operator.post(self.address, {"upload": file}, HTTP_ACCEPT=accept)
        assert reason in response.content.decode()
        assert not Video.objects.exists()

    def test_the_limit_is_said_before(self, operator: Client, settings: Settings) -> None:
        settings.FACEWEB_VIDEO_MAX_MB = 1
        text = operator.get(self.address).content.decode()
        assert "at most 1 MB and 120 minutes" in text
        assert 'data-most-bytes="1048576"' in text

    def test_who_may_only_look_is_told(self, auditor: Client) -> None:
        assert "an operator may" in auditor.get("/admin/recognition/video/").content.decode()


class TestPage:
    def test_the_page_says_what_the_file_was_called(self, auditor: Client, video: Video) -> None:
        assert "<dt>File</dt><dd>hall.mp4</dd>" in page(auditor, video)

    def test_nobody_was_found(self, auditor: Client, video: Video) -> None:
        text = page(auditor, video)
        assert "No face was found." in text
        assert "2 more faces were too small" in text

    def test_people_come_first_with_their_times(self, operator: Client, video: Video) -> None:
        fakes.activated_pack()
        ada = fakes.person("Ada <b>")
        event = fakes.event(person=ada)
        appear(video, 1)
        appear(video, 10, ada, event=event)
        appear(video, 70, ada)
        text = page(operator, video)
        assert text.index("Ada &lt;b&gt;") < text.index("Face 1: ")
        assert '<rect x="13.33%" y="0" width="6.67%"' in text
        assert "0:10.0 to 0:15.0" in text
        assert f"event {event.pk}" in text

    def test_who_was_merged_is_called_like_whom_they_were_merged_into(self, auditor: Client, video: Video) -> None:
        ada, old = fakes.person("Ada"), fakes.person("Old name")
        Person.objects.filter(pk=old.pk).update(merged_into=ada)
        appear(video, 1, old)
        appear(video, 9, ada)
        text = page(auditor, video)
        assert "Old name" not in text
        assert text.count("<strong>Ada") + text.count(">Ada</a></strong>") == 1

    def test_many_faces_are_shown_page_by_page(self, auditor: Client, video: Video) -> None:
        for number in range(51):
            appear(video, number)
        assert "Page 1 of 2" in page(auditor, video)

    def test_comparisons_are_told_and_refusals_too(self, operator: Client, video: Video) -> None:
        VideoPiece.objects.create(video=video, film="uploaded", number=0, data=HEAD)
        ada = fakes.person("Ada")
        said = {
            "decision": "accept",
            "threshold": 0.5,
            "best": 0.9,
            "mean": 0.8,
            "frames": 7,
            "first_s": 1,
            "last_s": 4,
        }
        for number, result in ((ada.pk, said), (0, {**said, "best": None})):
            Job.objects.create(
                kind="video_comparison",
                state="succeeded",
                finished_at=timezone.now(),
                parameters={"video": video.pk, "person": number},
                result=result,
            )
        text = page(operator, video)
        assert "Yes: mean similarity 0.800 over 7 frames, best 0.900, threshold 0.500; 0:01.0 to 0:04.0." in text
        assert "somebody who was erased" in text
        assert "Nobody is enrolled" in posted(operator, video, "compare", whom="Zoe").content.decode()

    def test_a_comparison_leads_to_its_answer(self, operator: Client, video: Video) -> None:
        VideoPiece.objects.create(video=video, film="uploaded", number=0, data=HEAD)
        fakes.person("Ada")
        response: Any = operator.post(
            reverse("admin:recognition_video_compare", args=[video.pk]), {"whom": "Ada"}, follow=True
        )
        assert response.redirect_chain[-1][0].endswith("#comparisons")
        text = response.content.decode()
        assert 'id="comparisons"' in text
        assert "It is being compared. The answer comes here." in text

    @pytest.mark.parametrize(
        ("code", "is_offered"),
        [("no_thresholds", True), ("no_room", True), ("video_unreadable", False), ("video_too_long", False)],
    )
    def test_who_may_compare_is_offered_it_of_a_video_that_can_be_read(
        self, code: str, is_offered: bool, operator: Client, video: Video
    ) -> None:
        fakes.person("Ada")
        assert "Is this person in it?" not in page(operator, video)
        VideoPiece.objects.create(video=video, film="uploaded", number=0, data=HEAD)
        assert "Is this person in it?" in page(operator, video)
        video.job = Job.objects.create(
            kind="video",
            state="failed",
            error_code=code,
            error_parameters={"minutes": 60},
            finished_at=fakes.NOW,
            parameters={"video": video.pk},
        )
        video.save()
        assert ("Is this person in it?" in page(operator, video)) == is_offered
        answered = posted(operator, video, "compare", whom="Ada").content.decode()
        assert ("The video cannot be read" in answered) != is_offered

    def test_who_may_only_look_is_offered_no_comparison(self, auditor: Client, video: Video) -> None:
        VideoPiece.objects.create(video=video, film="uploaded", number=0, data=HEAD)
        assert "Is this person in it?" not in page(auditor, video)

    def test_a_job_leads_to_its_video(self, auditor: Client, video: Video) -> None:
        job = Job.objects.create(kind="video", parameters={"video": video.pk})
        address = reverse("admin:recognition_job_change", args=[job.pk])
        assert "The video: who is in it" in auditor.get(address).content.decode()
        video.delete()
        assert "The video: who is in it" not in auditor.get(address).content.decode()

    def test_a_deleted_video_is_gone(self, operator: Client, video: Video) -> None:
        assert "The video is deleted" in posted(operator, video, "discard").content.decode()
        assert not Video.objects.exists()


class TestFilm:
    @pytest.mark.parametrize(
        ("asked", "status", "start", "stop"),
        [
            ("", 200, 0, 100),
            ("bytes=0-", 206, 0, 100),
            ("bytes=25-64", 206, 25, 65),
            ("bytes=90-500", 206, 90, 100),
            ("bytes=-5", 206, 95, 100),
            ("bytes=-500", 206, 0, 100),
            ("bytes=0-1,5-6", 200, 0, 100),  # several at once
            ("bytes=-", 206, 0, 100),
        ],
    )
    def test_a_player_gets_the_part_that_it_asks_for(
        self, asked: str, status: int, start: int, stop: int, auditor: Client, video: Video
    ) -> None:
        headers = {"Range": asked} if asked else {}
        response: Any = auditor.get(reverse("admin:recognition_video_film", args=[video.pk]), headers=headers)
        assert (response.status_code, b"".join(response.streaming_content)) == (status, FILM[start:stop])
        assert response["Content-Length"] == str(stop - start)
        if status == 206:
            assert response["Content-Range"] == f"bytes {start}-{stop - 1}/100"
        assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("video/webm", "nosniff")
        assert response["Content-Disposition"].startswith("attachment;")
        assert response["Cache-Control"].startswith("no-store")

    @pytest.mark.parametrize("asked", ["bytes=100-", "bytes=9-3"])
    def test_a_part_that_is_not_there_is_refused(self, asked: str, auditor: Client, video: Video) -> None:
        response = auditor.get(reverse("admin:recognition_video_film", args=[video.pk]), HTTP_RANGE=asked)
        assert (response.status_code, response["Content-Range"]) == (416, "bytes */100")

    def test_a_film_that_is_gone_is_not_found(self, auditor: Client, video: Video) -> None:
        VideoPiece.objects.all().delete()
        assert auditor.get(reverse("admin:recognition_video_film", args=[video.pk])).status_code == 404
        assert "The film is no longer there" in page(auditor, video)

    def test_whoever_takes_it_away_is_written_down(self, auditor: Client, video: Video) -> None:
        appear(video, 1, fakes.person("=Ada"))
        film: Any = posted(auditor, video, "download")
        assert b"".join(film.streaming_content) == FILM
        table = posted(auditor, video, "table").content.decode()
        assert "person,1" not in table.split("\n")[0]
        assert "'=Ada,1.000,6.000,1,0.8000,accept" in table
        said = [entry.details for entry in AuditEntry.objects.filter(action="video.downloaded").order_by("pk")]
        assert said == [{"what": "annotated"}, {"what": "csv"}]
