"""What waited too long goes by itself, whoever looks or does not."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from procrastinate.contrib.django import app

from recognition.importing.layouts import Layout
from recognition.jobs import tasks, upkeep
from recognition.models import ImportBatch, WaitingPhoto
from recognition.selectors import anchoring
from recognition.services import choosing, import_batches, jobs
from tests import fakes
from tests.integration.recognition.jobs.conftest import Start
from tests.integration.recognition.jobs.test_process import wait_until_the_queue_is_empty
from tests.processes import DEADLINE_S, POLL_INTERVAL_S


def waiting(age: dt.timedelta) -> None:
    """A photo that waits for its face and an upload that waits for its start, both so old."""
    then = timezone.now() - age
    uploader = fakes.user("add_facesample")
    fakes.waiting_photo(fakes.person(), uploader, expires_at=then + choosing.LIFETIME)
    import_batches.upload(
        file_name="staff.zip",
        paths=("Ada/1.jpg",),
        read=lambda path, most: b"a photo",
        layout=Layout.FOLDERS,
        actor=uploader,
        now=then,
    )


def left() -> tuple[int, int]:
    return WaitingPhoto.objects.count(), ImportBatch.objects.count()


@pytest.mark.django_db
class TestForgetExpired:
    def test_where_nothing_waits_nothing_happens(self) -> None:
        upkeep.forget_expired(0)
        assert left() == (0, 0)

    @pytest.mark.parametrize(
        ("age", "remaining"),
        [
            (dt.timedelta(minutes=59), (1, 1)),
            (dt.timedelta(minutes=61), (0, 1)),
            (dt.timedelta(hours=25), (0, 0)),
        ],
    )
    def test_a_photo_goes_after_an_hour_and_an_upload_after_a_day(
        self, age: dt.timedelta, remaining: tuple[int, int]
    ) -> None:
        waiting(age)
        upkeep.forget_expired(0)
        assert left() == remaining


@pytest.mark.django_db
@pytest.mark.parametrize(("hours", "is_kept"), [(23, True), (25, False)])
def test_what_an_ended_import_left_is_kept_for_a_day(hours: int, is_kept: bool) -> None:
    waiting(dt.timedelta(0))
    batch = ImportBatch.objects.get()
    ended = timezone.now() - dt.timedelta(hours=hours)
    job = import_batches.start(batch=batch, actor=fakes.user("add_facesample"), now=ended)
    jobs.cancel(job=job, actor=None, now=ended)
    upkeep.forget_expired(0)
    batch.refresh_from_db()
    assert import_batches.can_go_on(batch) is is_kept
    item = batch.items.get()
    assert (item.data is not None) is is_kept
    assert item.reasons == ([] if is_kept else [{"skip": "not_looked_at"}])


def test_one_is_due_every_five_minutes_and_one_waits_at_most() -> None:
    tasks.register()
    periodic = {each.task.name: each for each in app.periodic_registry.periodic_tasks.values()}
    assert {name: each.cron for name, each in periodic.items()} == {
        upkeep.FORGET_EXPIRED: "*/5 * * * *",
        upkeep.ANCHOR: "7 * * * *",
        upkeep.APPLY_RETENTION: "23 * * * *",
        upkeep.TRAIN_AGAIN: "*/5 * * * *",
    }
    assert all(each.task.queueing_lock == name for name, each in periodic.items())


class TestAnchor:
    @pytest.fixture(autouse=True)
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
        monkeypatch.setenv("FACEWEB_STATE_DIR", str(tmp_path))
        settings.FACEWEB_STATE_DIR = tmp_path
        settings.FACEWEB_ANCHOR_FILE = None
        return tmp_path / "anchors.jsonl"

    @pytest.mark.django_db(transaction=True)
    def test_a_head_is_kept_in_the_state_directory(self, file: Path) -> None:
        upkeep.anchor_sealed_log(0)
        assert not file.exists()
        fakes.event()
        upkeep.anchor_sealed_log(0)
        upkeep.anchor_sealed_log(0)
        assert len(file.read_text().splitlines()) == 1

    @pytest.mark.django_db(transaction=True)
    def test_what_goes_wrong_is_logged_and_ends_nothing(
        self, file: Path, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        file.mkdir()
        settings.FACEWEB_ANCHOR_URL = "nowhere"
        fakes.event()
        upkeep.anchor_sealed_log(0)
        assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
        assert "cannot be anchored in" in caplog.text
        assert "could not be anchored at its address" in caplog.text
        found = anchoring.read(now=timezone.now())
        assert [(each.place, each.reason) for each in found.failing] == [
            ("file", "Is a directory"),
            ("address", "expected an address that begins with http:// or https://"),
        ]
        file.rmdir()
        settings.FACEWEB_ANCHOR_URL = ""
        upkeep.anchor_sealed_log(0)
        assert anchoring.read(now=timezone.now()).is_well

    @pytest.mark.django_db(transaction=True)
    def test_an_address_that_failed_is_tried_again_without_a_new_row(
        self, file: Path, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.FACEWEB_ANCHOR_URL = "nowhere"
        fakes.event()
        upkeep.anchor_sealed_log(0)
        upkeep.anchor_sealed_log(0)
        assert caplog.text.count("could not be anchored at its address") == 2
        assert len(file.read_text().splitlines()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_jobs_process_forgets_by_itself(start_import: Start) -> None:
    waiting(dt.timedelta(hours=25))
    start_import(-1)
    deadline = time.monotonic() + DEADLINE_S
    while left() != (0, 0):
        assert time.monotonic() < deadline
        time.sleep(POLL_INTERVAL_S)
    wait_until_the_queue_is_empty()
