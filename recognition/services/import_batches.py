"""Keeps an upload until its job is asked for, and has each of its files enrolled by the job."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from recognition import wording
from recognition.decision.verdict import Reason
from recognition.importing.entries import PersonData, PlannedFile, Skip
from recognition.importing.layouts import Layout
from recognition.models import AuditAction, ImportBatch, ImportItem, Job, Person
from recognition.services import audit, importing, jobs
from recognition.services.enrolment import SampleResult
from recognition.services.importing import LookedAt, Plan
from recognition.vision.errors import TooManyBytes
from recognition.vision.images import STILL_LIMITS

LIFETIME = dt.timedelta(hours=24)
"""How long an upload waits for its job, and what an ended job left for somebody to go on with it."""

RESULTS_KEPT = dt.timedelta(days=30)
"""How long the list of what became of each file is kept."""

ROWS_AT_A_TIME = 32


class BatchRefused(Exception):
    """The import does not begin; the text is for the person who wanted it."""


@transaction.atomic
def upload(
    *,
    file_name: str,
    paths: Sequence[str],
    read: Callable[[str, int], bytes],
    layout: Layout,
    actor: User,
    now: dt.datetime,
) -> tuple[ImportBatch, Plan]:
    """Keeps the files of an upload for a day, with whom each shows; nothing is enrolled.

    Args:
        file_name: what the uploader calls it.
        paths: of all files inside.
        read: gives the content of a path; raises `TooManyBytes` where it has more than allowed.
        layout: how the files are arranged.
        actor: who uploads.
        now: with a time zone.

    Raises:
        ImportRefused: when nothing can be taken; then nothing is kept.
    """
    plan = importing.plan(paths=paths, read=read, layout=layout)
    batch = ImportBatch.objects.create(
        file_name=file_name[: ImportBatch._meta.get_field("file_name").max_length],
        created_by=actor,
        expires_at=now + LIFETIME,
    )
    for files in _batched(plan.files, ROWS_AT_A_TIME):
        ImportItem.objects.bulk_create(_item(batch, file, read) for file in files)
    details = {"files": len(plan.files), "people": plan.known + plan.new}
    audit.record(action=AuditAction.IMPORT_UPLOADED, actor=actor, subject=batch, details=details)
    return batch, plan


@transaction.atomic
def start(*, batch: ImportBatch, actor: User, now: dt.datetime) -> Job:
    """Asks for the job that enrols the files of an upload, or that goes on where one failed or was cancelled.

    Raises:
        BatchRefused: when its job is not over or did it all, its day is over, or another import waits or runs.
    """
    held = ImportBatch.objects.select_for_update().filter(pk=batch.pk).first()
    if held is None or (held.job_id is None and held.expires_at <= now):
        raise BatchRefused(gettext("The upload waited for a day and is deleted. Upload it again."))
    if held.job is not None and not can_go_on(held):
        raise BatchRefused(gettext("That import was started already: it runs, or looked at every file."))
    try:
        held.job = jobs.request(kind=Job.Kind.IMPORT, parameters={"batch": held.pk}, actor=actor)
    except jobs.JobRefused as refused:
        raise BatchRefused(gettext("Another import waits or runs. Wait for its end, then start this one.")) from refused
    held.expires_at = now + RESULTS_KEPT
    held.save(update_fields=["job", "expires_at"])
    return held.job


def can_go_on(batch: ImportBatch) -> bool:
    """Whether the job of an upload ended before it had looked at every file."""
    ended = batch.job is not None and batch.job.state in (Job.State.FAILED, Job.State.CANCELLED)
    return ended and batch.items.filter(state=ImportItem.State.PENDING).exists()


@transaction.atomic
def discard(*, batch: ImportBatch, actor: User) -> None:
    """Removes an upload whose job was not asked for.

    Raises:
        BatchRefused: when it was.
    """
    held = ImportBatch.objects.select_for_update().filter(pk=batch.pk).first()
    if held is not None and held.job_id is not None:
        raise BatchRefused(gettext("That import was started already."))
    if held is not None:
        audit.record(action=AuditAction.IMPORT_DISCARDED, actor=actor, subject=held)
        held.delete()


def forget_expired(*, now: dt.datetime) -> int:
    """Removes uploads that nobody started within a day, and results that are a month old; how many there were.

    Of an import that ended early the photos that are left are removed a day after its end; the results stay.
    """
    ended = ImportItem.objects.filter(state=ImportItem.State.PENDING, batch__job__finished_at__lte=now - LIFETIME)
    ended.update(state=ImportItem.State.REFUSED, reasons=[{"skip": str(Skip.NOT_LOOKED_AT)}], data=None)
    over = ImportBatch.objects.filter(expires_at__lte=now).exclude(job__state__in=Job.OPEN)
    count = over.count()
    over.delete()
    return count


def take(*, files: Sequence[tuple[ImportItem, LookedAt | None]], actor: User | None) -> None:
    """Enrols files and keeps what became of each; their bytes are gone with that.

    One that is gone was of somebody who was erased meanwhile, and is not enrolled again.

    Args:
        files: each with what was seen of it; None where it is known that the person has it already.
        actor: who asked for the import.
    """
    while files:
        here = set(ImportItem.objects.filter(pk__in=[item.pk for item, _ in files]).values_list("pk", flat=True))
        files = [(item, file) for item, file in files if item.pk in here]
        # Erased between this look and the end, one more pass leaves them out.
        with contextlib.suppress(_Gone, Person.DoesNotExist):
            _take(files, actor)
            return


class _Gone(Exception):
    """A file or a person was removed while the files were enrolled."""


@transaction.atomic
def _take(files: Sequence[tuple[ImportItem, LookedAt | None]], actor: User | None) -> None:
    seen = [(item, file) for item, file in files if file is not None]
    results = importing.take(files=[(person_of(item.person), file) for item, file in seen], actor=actor) if seen else []
    for (item, _), result in zip(seen, results, strict=True):
        item.state, item.sample_id = state_of(result), result.sample_id
        is_refused = item.state == ImportItem.State.REFUSED
        item.reasons = [Reason.of_fault(fault).as_json() for fault in result.faults] if is_refused else []
    for item, file in files:
        item.data = None
        if file is None:
            item.state = ImportItem.State.KNOWN
    items = [item for item, _ in files]
    if ImportItem.objects.bulk_update(items, ["state", "sample", "reasons", "data"]) < len(items):
        raise _Gone


def state_of(result: SampleResult) -> ImportItem.State:
    """What became of a file, of what came of its enrolment."""
    if result.accepted:
        return ImportItem.State.ENROLLED
    if result.is_stored:
        return ImportItem.State.SET_ASIDE
    return ImportItem.State.KNOWN if result.is_known else ImportItem.State.REFUSED


def person_of(stored: Mapping[str, Any] | None) -> PersonData:
    """Whom a file shows, of what an item keeps of that."""
    values = stored or {"name": ""}
    return PersonData(**{**values, "groups": tuple(values.get("groups", ()))})


def _item(batch: ImportBatch, file: PlannedFile, read: Callable[[str, int], bytes]) -> ImportItem:
    person = dataclasses.asdict(file.person) if file.person is not None else None
    item = ImportItem(batch=batch, path=file.path[:1000], person=person)
    if file.skip is not None:
        item.state, item.reasons = ImportItem.State.REFUSED, [{"skip": str(Skip(file.skip))}]
        return item
    try:
        item.data = read(file.path, STILL_LIMITS.max_bytes)
        item.image_sha256 = importing.digest(item.data)
    except TooManyBytes as error:
        item.state, item.reasons = ImportItem.State.REFUSED, [Reason.of_fault(wording.image_fault(error)).as_json()]
    return item


def _batched(files: Sequence[PlannedFile], size: int) -> Iterator[tuple[PlannedFile, ...]]:
    iterator = iter(files)
    while batch := tuple(itertools.islice(iterator, size)):
        yield batch
