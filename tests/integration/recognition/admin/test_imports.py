from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recognition.jobs import importing as job_of_import
from recognition.jobs import running
from recognition.models import ImportBatch, ImportItem, Job, Person
from recognition.services import analysis
from tests import fakes

pytestmark = pytest.mark.django_db

ADD = "/admin/recognition/importbatch/add/"
STAFF = {"Ada/1.jpg": b"Ada", "=Bob/1.jpg": b"nobody", "Ada/notes.txt": b""}


@pytest.fixture
def enroller(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    fakes.activated_pack()
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({b"Ada": (fakes.embedded(),), b"nobody": ()})])
    monkeypatch.setattr(job_of_import, "_connect_networks", lambda: None)
    client.force_login(fakes.in_role("enroller"))
    return client


def archive(files: Mapping[str, bytes] = STAFF) -> SimpleUploadedFile:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, data in files.items():
            file.writestr(name, data)
    return SimpleUploadedFile("staff.zip", content.getvalue(), "application/zip")


def uploaded(enroller: Client) -> ImportBatch:
    assert enroller.post(ADD, {"upload": archive(), "layout": "folders"}).status_code == 302
    return ImportBatch.objects.get()


def page(batch: ImportBatch) -> str:
    return reverse("admin:recognition_importbatch_change", args=[batch.pk])


def imported(enroller: Client) -> ImportBatch:
    batch = uploaded(enroller)
    enroller.post(reverse("admin:recognition_importbatch_start", args=[batch.pk]))
    batch.refresh_from_db()
    assert batch.job is not None
    running.run(batch.job.pk, job_of_import.enrol, should_stop=lambda: False)
    return batch


def test_an_upload_shows_what_would_happen_and_enrols_nobody(enroller: Client) -> None:
    batch = uploaded(enroller)
    shown = enroller.get(page(batch)).content.decode()
    assert "This would happen" in shown
    assert "3 files" in shown
    assert "2 people" in shown
    assert not Person.objects.exists()
    assert [bytes(item.data or b"") for item in batch.items.order_by("path")] == [b"nobody", b"Ada", b""]


def test_the_script_is_told_where_to_go_or_what_is_wrong(enroller: Client) -> None:
    answer = enroller.post(ADD, {"upload": archive()}, headers={"accept": "application/json"})
    assert answer.json() == {"location": page(ImportBatch.objects.get())}
    refused = enroller.post(ADD, {"upload": archive({"../x.jpg": b""})}, headers={"accept": "application/json"})
    assert refused.status_code == 422
    assert "leads out of the archive" in refused.json()["errors"][0]
    assert ImportBatch.objects.count() == 1


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (SimpleUploadedFile("staff.zip", b"no archive"), "not a ZIP archive"),
        (SimpleUploadedFile("notes.txt", b"no photo"), "No photo was found"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words(enroller: Client, file: SimpleUploadedFile, sentence: str) -> None:
    file.seek(0)
    assert sentence in enroller.post(ADD, {"upload": file}).content.decode()
    assert not ImportBatch.objects.exists()


def test_single_photos_are_named_by_their_files(enroller: Client) -> None:
    files = [SimpleUploadedFile(name, b"Ada", "image/jpeg") for name in ("Ada_1.jpg", "Bob_1.jpg")]
    enroller.post(ADD, {"upload": files})
    assert set(ImportItem.objects.values_list("person__name", flat=True)) == {"Ada", "Bob"}


def test_of_two_photos_of_one_name_none_is_lost(enroller: Client) -> None:
    files = [SimpleUploadedFile("Ada.jpg", data, "image/jpeg") for data in (b"Ada", b"nobody")]
    enroller.post(ADD, {"upload": files})
    stored = [(item.path, (item.person or {})["name"], bytes(item.data or b"")) for item in ImportItem.objects.all()]
    assert sorted(stored) == [("Ada (2).jpg", "Ada", b"nobody"), ("Ada.jpg", "Ada", b"Ada")]


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_more_files_than_a_form_may_send_are_refused_in_words(enroller: Client, accept: str) -> None:
    files = [SimpleUploadedFile(f"Ada_{number}.jpg", b"Ada", "image/jpeg") for number in range(101)]
    response = enroller.post(ADD, {"upload": files}, headers={"accept": accept})
    assert response.status_code == 400
    assert "More than 100 files came at once" in response.content.decode()
    assert not ImportBatch.objects.exists()


@pytest.mark.parametrize(
    "upload",
    [[archive({"Ada/1.jpg": b"x" * 2**20, "Ada/2.jpg": b"x"})], [SimpleUploadedFile("Ada.jpg", b"x" * 2**20 + b"x")]],
)
def test_more_than_an_import_may_hold_is_refused_with_the_setting(
    enroller: Client, settings: Any, upload: list[SimpleUploadedFile]
) -> None:
    settings.FACEWEB_IMPORT_MAX_MB = 1
    shown = enroller.post(ADD, {"upload": upload}).content.decode()
    assert "more than 1 MB" in shown
    assert "FACEWEB_IMPORT_MAX_MB" in shown
    assert not ImportBatch.objects.exists()


def test_it_is_imported_by_a_job_and_shows_what_became_of_each_file(enroller: Client) -> None:
    batch = imported(enroller)
    shown = enroller.get(page(batch)).content.decode()
    assert "Enrolled: 1. Set aside: 0. Known already: 0. Not used: 2." in shown
    assert "not named like a photo" in shown
    assert "No face was found" in shown
    assert f"/admin/recognition/person/{Person.objects.get().pk}/change/" in shown
    only = enroller.get(page(batch), {"state": "refused"})
    assert [item.path for item, _ in only.context["rows"]] == ["=Bob/1.jpg", "Ada/notes.txt"]
    job = enroller.get(reverse("admin:recognition_job_change", args=[batch.job_id])).content.decode()
    assert "Enrolled: 1." in job


def test_the_results_are_kept_as_a_list_without_formulas(enroller: Client) -> None:
    batch = imported(enroller)
    response = enroller.get(reverse("admin:recognition_importbatch_results", args=[batch.pk]))
    assert response["Content-Disposition"] == f'attachment; filename="import-{batch.pk}.csv"'
    rows = list(csv.reader(response.content.decode().splitlines()))
    assert rows[0] == ["file", "person", "result", "codes", "reasons"]
    assert rows[1][:4] == ["'=Bob/1.jpg", "'=Bob", "not used", "no_face"]
    assert rows[2] == ["Ada/1.jpg", "Ada", "enrolled", "", ""]


def test_a_second_start_and_a_late_discard_are_refused(enroller: Client) -> None:
    batch = uploaded(enroller)
    for _ in range(2):
        response = enroller.post(reverse("admin:recognition_importbatch_start", args=[batch.pk]), follow=True)
    assert "started already" in response.content.decode()
    discard = reverse("admin:recognition_importbatch_discard", args=[batch.pk])
    assert "started already" in enroller.post(discard, follow=True).content.decode()
    assert Job.objects.count() == 1


@pytest.mark.parametrize(("state", "code"), [(Job.State.FAILED, "pack_switched"), (Job.State.CANCELLED, "")])
def test_an_import_that_ended_early_goes_on(enroller: Client, state: Job.State, code: str) -> None:
    batch = uploaded(enroller)
    page = reverse("admin:recognition_importbatch_change", args=[batch.pk])
    start = reverse("admin:recognition_importbatch_start", args=[batch.pk])
    enroller.post(start)
    assert "Go on with the files" not in enroller.get(page).content.decode()
    Job.objects.update(state=state, error_code=code, finished_at=timezone.now())
    assert "Go on with the files" in enroller.get(page).content.decode()
    enroller.post(start)
    batch.refresh_from_db()
    assert batch.job == Job.objects.latest("pk")
    assert batch.job is not None
    assert batch.job.state == Job.State.QUEUED


def test_an_upload_is_discarded(enroller: Client) -> None:
    batch = uploaded(enroller)
    discard = reverse("admin:recognition_importbatch_discard", args=[batch.pk])
    assert "nobody was enrolled" in enroller.post(discard, follow=True).content.decode()
    assert not ImportBatch.objects.exists()
