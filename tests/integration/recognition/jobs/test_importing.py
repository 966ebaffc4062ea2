"""Imports as jobs: what they make of each file, and that a kill in the middle loses and doubles nothing."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import datetime as dt
import re
import signal
import time
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from django.db import connections

from recognition.importing.entries import PersonData
from recognition.importing.layouts import Layout
from recognition.jobs import importing as job_of_import
from recognition.jobs import running
from recognition.models import AuditAction, AuditEntry, FaceSample, ImportBatch, ImportItem, Job, Person
from recognition.selectors.imported import KnownFiles
from recognition.services import analysis, import_batches, importing, jobs
from recognition.services.import_batches import BatchRefused
from recognition.services.importing import LookedAt
from recognition.vision.errors import TooManyBytes
from tests import fakes
from tests.fakes import NOW
from tests.integration.recognition.jobs.conftest import Start
from tests.integration.recognition.jobs.test_process import wait_for, wait_until_the_queue_is_empty
from tests.processes import DEADLINE_S, POLL_INTERVAL_S

pytestmark = pytest.mark.django_db(transaction=True)

FILES = {f"person {number // 2}/{number}.jpg": f"photo {number}".encode() for number in range(9)}
TWO_FACES = {
    b"a": (fakes.embedded(fakes.like_probe(0.3, axis=1)),),
    b"b": (fakes.embedded(fakes.like_probe(0.3, axis=2)),),
}
UNREADABLE = {"person 0/broken.jpg": b"no photo"}


@pytest.fixture(autouse=True)
def pack(transactional_db: None) -> None:
    fakes.activated_pack()


def uploaded(files: Mapping[str, bytes]) -> ImportBatch:
    batch, _ = import_batches.upload(
        file_name="staff.zip",
        paths=tuple(files),
        read=lambda path, _: files[path],
        layout=Layout.AUTO,
        actor=fakes.user(),
        now=NOW,
    )
    return batch


def test_a_file_that_is_too_large_is_refused_with_its_size_and_not_kept() -> None:
    def read(path: str, most: int) -> bytes:
        if path == "Ada/1.jpg":
            raise TooManyBytes(30 * 2**20, most)
        return b"a photo"

    batch, _ = import_batches.upload(
        file_name="", paths=("Ada/1.jpg", "Bob/1.jpg"), read=read, layout=Layout.AUTO, actor=fakes.user(), now=NOW
    )
    large, other = batch.items.order_by("path")
    assert (large.state, large.data, other.state) == ("refused", None, "pending")
    assert large.reasons == [{"reason": "image_too_large", "measured": 30.0, "required": 20.0}]


def started(files: Mapping[str, bytes]) -> Job:
    return import_batches.start(batch=uploaded(files), actor=fakes.user(), now=NOW)


def wait_for_steps(job: Job) -> int:
    """How many files are stored, once it is some and not all."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        job.refresh_from_db()
        if job.done:
            return job.done
        assert time.monotonic() < deadline
        time.sleep(POLL_INTERVAL_S)


def gallery() -> list[tuple[Any, ...]]:
    rows = FaceSample.objects.values_list("person__name", "image_sha256", "status", "templates__embedding", "source")
    return sorted((name, digest, status, str(vector), source) for name, digest, status, vector, source in rows)


def run(job: Job, monkeypatch: pytest.MonkeyPatch, faces_of: Mapping[bytes, Any]) -> Job:
    """Does a job here, with an analyser that sees what it is told."""
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser(faces_of)])
    monkeypatch.setattr(job_of_import, "_connect_networks", lambda: None)
    running.run(job.pk, job_of_import.enrol, should_stop=lambda: False)
    job.refresh_from_db()
    return job


def test_a_killed_import_is_finished_by_another_process_with_the_same_gallery(start_import: Start) -> None:
    undisturbed = start_import(-1)
    wait_for(started({**FILES, **UNREADABLE}), Job.State.SUCCEEDED)
    wait_until_the_queue_is_empty()
    undisturbed.close()
    expected = gallery()
    assert len(expected) == len(FILES)
    Person.objects.all().delete()

    held = start_import(len(FILES) - 1)
    job = started({**FILES, **UNREADABLE})
    held.wait_for(f"file {len(FILES) - 1}\n")
    stored = wait_for_steps(job)
    held.send(signal.SIGKILL)
    second = start_import(-1)
    done = wait_for(job, Job.State.SUCCEEDED)

    assert gallery() == expected
    assert (done.done, done.total, done.interruptions) == (10, 10, 1)
    assert done.result["refused"] == 1
    again = re.findall(r"file \d+\n", second.output)
    assert len(again) <= 10 - stored
    assert not ImportItem.objects.exclude(data=None).exists()


def test_what_becomes_of_each_file(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = fakes.person("Ada", fakes.probe())
    faces_of = {
        b"good": (fakes.embedded(fakes.like_probe(0.2, axis=2)),),
        b"like Ada": (fakes.embedded(fakes.like_probe(0.8)),),
        b"two": (fakes.embedded(), fakes.embedded()),
        b"nobody": (),
    }
    files = {
        "Bob/good.jpg": b"good",
        "Bob/same.jpg": b"good",
        "Cleo/1.jpg": b"like Ada",
        "Dee/1.jpg": b"two",
        "Eve/1.jpg": b"nobody",
    }
    job = run(started(files), monkeypatch, faces_of)
    assert job.state == Job.State.SUCCEEDED
    assert job.result == {"files": 5, "enrolled": 1, "known": 1, "set_aside": 1, "refused": 2}
    states = {
        item.path: (item.state, [reason["reason"] for reason in item.reasons]) for item in ImportItem.objects.all()
    }
    assert states == {
        "Bob/good.jpg": ("enrolled", []),
        "Bob/same.jpg": ("known", []),
        "Cleo/1.jpg": ("set_aside", []),
        "Dee/1.jpg": ("refused", ["multiple_faces"]),
        "Eve/1.jpg": ("refused", ["no_face"]),
    }
    # Nobody is enrolled of whom no photo can be used.
    assert set(Person.objects.values_list("name", flat=True)) == {"Ada", "Bob", "Cleo"}
    assert FaceSample.objects.get(person__name="Cleo").doubts[0]["person"] == ada.pk
    assert Job.objects.get(kind=Job.Kind.GALLERY_CHECK).state == Job.State.QUEUED


def test_the_same_import_twice_changes_nothing_and_looks_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"Ada/1.jpg": b"a", "Bob/1.jpg": b"b"}
    run(started(files), monkeypatch, TWO_FACES)
    before = gallery()
    Job.objects.filter(kind=Job.Kind.GALLERY_CHECK).delete()
    again = run(started(files), monkeypatch, {})
    assert gallery() == before
    assert again.result == {"files": 2, "known": 2}
    assert not Job.objects.filter(kind=Job.Kind.GALLERY_CHECK).exists()


def test_files_that_are_known_are_told_as_they_are_found_and_without_their_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = {"Ada/1.jpg": b"a", "Bob/1.jpg": b"b"}
    run(started(files), monkeypatch, TWO_FACES)
    asked: list[str] = []
    files_of = KnownFiles.of

    def asked_and_known(known: KnownFiles, person: PersonData) -> Collection[str]:
        asked.append(person.name)
        return files_of(known, person)

    monkeypatch.setattr(KnownFiles, "of", asked_and_known)
    results = job_of_import._results(uploaded(files).items.all())
    item, seen = next(results)
    assert (item.path, seen) == ("Ada/1.jpg", None)
    assert asked == ["Ada"]
    assert "data" in item.get_deferred_fields()


def test_files_that_are_known_need_no_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"Ada/1.jpg": b"a", "Bob/1.jpg": b"b"}
    run(started(files), monkeypatch, TWO_FACES)
    loaded: list[str] = []
    monkeypatch.setattr(job_of_import, "_connect_networks", lambda: loaded.append("networks"))
    assert len(list(job_of_import._results(uploaded(files).items.all()))) == 2
    assert loaded == []
    list(job_of_import._results(uploaded({"Ada/1.jpg": b"a", "Bob/2.jpg": b"c"}).items.all()))
    assert loaded == ["networks"]


def test_a_cancelled_import_keeps_what_it_enrolled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "FILES_A_STEP", 1)
    job = started({"Ada/1.jpg": b"a", "Bob/1.jpg": b"b"})
    take = import_batches.take

    def taken_and_cancelled(**values: Any) -> None:
        take(**values)
        if job.pk and not Job.objects.get(pk=job.pk).is_cancel_requested:
            jobs.cancel(job=job, actor=None, now=NOW)

    monkeypatch.setattr(import_batches, "take", taken_and_cancelled)
    assert run(job, monkeypatch, TWO_FACES).state == Job.State.CANCELLED
    assert list(Person.objects.values_list("name", flat=True)) == ["Ada"]


@pytest.mark.parametrize("when", ["before", "while"])
def test_a_file_that_is_erased_before_it_is_stored_is_not_enrolled(monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    job = started({"Ada/1.jpg": b"a", "Bob/1.jpg": b"b"})
    items = list(ImportItem.objects.order_by("path"))
    files = [(item, LookedAt(item.image_sha256, faces)) for item, faces in zip(items, TWO_FACES.values(), strict=True)]
    if when == "before":
        items[0].delete()
    else:
        take = importing.take

        def erase() -> None:
            ImportItem.objects.filter(path="Ada/1.jpg").delete()
            connections.close_all()

        def erased_then_taken(**values: Any) -> Any:
            # In a thread, and so over a connection, of its own.
            with concurrent.futures.ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(erase).result()
            return take(**values)

        monkeypatch.setattr(importing, "take", erased_then_taken)
    import_batches.take(files=files, actor=None)
    assert list(Person.objects.values_list("name", flat=True)) == ["Bob"]
    assert [item.state for item in ImportItem.objects.all()] == ["enrolled"]
    assert job.state == Job.State.QUEUED


def test_an_upload_that_is_gone_fails_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    job = started(FILES)
    ImportBatch.objects.all().delete()
    assert run(job, monkeypatch, {}).error_code == "upload_gone"


def test_a_pack_that_is_switched_on_the_way_ends_it_with_words_and_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = uploaded({"Ada/1.jpg": b"a", "Bob/1.jpg": b"b"})
    other = dataclasses.replace(fakes.like_probe(0.3, axis=1), pack_digest="another")
    job = import_batches.start(batch=batch, actor=fakes.user(), now=NOW)
    failed = run(job, monkeypatch, {b"a": (fakes.embedded(other),), b"b": (fakes.embedded(other),)})
    assert (failed.state, failed.error_code) == (Job.State.FAILED, "pack_switched")
    assert not FaceSample.objects.exists()
    batch.refresh_from_db()
    again = import_batches.start(batch=batch, actor=fakes.user(), now=NOW)
    assert run(again, monkeypatch, TWO_FACES).state == Job.State.SUCCEEDED
    assert FaceSample.objects.count() == 2


class TestStart:
    def test_is_done_once(self) -> None:
        batch = uploaded(FILES)
        import_batches.start(batch=batch, actor=fakes.user(), now=NOW)
        with pytest.raises(BatchRefused, match="started already"):
            import_batches.start(batch=batch, actor=fakes.user(), now=NOW)
        with pytest.raises(BatchRefused, match="started already"):
            import_batches.discard(batch=batch, actor=fakes.user())

    def test_waits_for_the_end_of_another_import(self) -> None:
        started(FILES)
        with pytest.raises(BatchRefused, match="Another import"):
            started(FILES)

    def test_is_refused_after_a_day(self) -> None:
        batch = uploaded(FILES)
        with pytest.raises(BatchRefused, match="Upload it again"):
            import_batches.start(batch=batch, actor=fakes.user(), now=NOW + dt.timedelta(hours=24))


class TestForgetExpired:
    def test_an_upload_goes_after_a_day_and_results_after_a_month(self, monkeypatch: pytest.MonkeyPatch) -> None:
        uploaded(FILES)
        run(started(FILES), monkeypatch, dict.fromkeys(FILES.values(), ()))
        later = NOW + dt.timedelta(hours=25)
        assert import_batches.forget_expired(now=later) == 1
        assert ImportBatch.objects.get().job is not None
        assert import_batches.forget_expired(now=NOW + dt.timedelta(days=31)) == 1

    def test_one_that_runs_stays(self) -> None:
        started(FILES)
        assert import_batches.forget_expired(now=NOW + dt.timedelta(days=365)) == 0


def test_discarded_it_leaves_nothing_but_a_trace() -> None:
    batch = uploaded(FILES)
    import_batches.discard(batch=batch, actor=fakes.user())
    assert not ImportItem.objects.exists()
    assert AuditEntry.objects.filter(action=AuditAction.IMPORT_DISCARDED).count() == 1
