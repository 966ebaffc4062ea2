"""Erases a person everywhere, and certifies it.

What stays is a record without a person: event rows with a tombstone, audit entries and votes with an internal
number that leads to nobody any more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q

from recognition.models import (
    AuditAction,
    ErasureReason,
    ErasureRequest,
    EventCrop,
    FaceSample,
    ImportBatch,
    ImportItem,
    LegalHold,
    Person,
    RecognitionEvent,
    SealedKind,
    VideoAppearance,
    VideoPiece,
)
from recognition.selectors import imported
from recognition.selectors import legal as legal_read
from recognition.selectors import people as people_read
from recognition.selectors import videos as videos_read
from recognition.services import audit, classifiers, erasure_certificates, erasure_ledger, holds, sealed_log

_LINKS = ("person", "claimed_person", "best_person", "runner_up")
"""What of an event points to people."""


@transaction.atomic
def request(*, person: Person, reason: ErasureReason, actor: User | None, now: dt.datetime) -> ErasureRequest:
    """Erases a person, or queues it where a legal hold keeps their data.

    Whoever waits to be erased is set inactive: what is kept for a lawsuit is kept for that alone.

    Args:
        person: whom; who was merged into them goes too.
        reason: why.
        actor: who wants it.
        now: with a time zone.

    Returns:
        What was asked for, done or waiting; one that waited before stays the only one.

    Raises:
        Person.DoesNotExist: when they were erased meanwhile.
        erasure_ledger.LedgerRefused: when it cannot be noted that a restored backup must erase them again.
    """
    held = _held(person)
    rows = _locked_rows(held)
    waiting = legal_read.waiting_erasure(rows)
    if not legal_read.keeps_from_erasure(rows):
        waiting = waiting or ErasureRequest(person=held, reason=reason, requested_by=actor, requested_at=now)
        return _run(waiting, held, rows, actor, now)
    if waiting is None:
        waiting = ErasureRequest.objects.create(
            person=held,
            reason=reason,
            state=ErasureRequest.State.WAITING_FOR_HOLD,
            requested_by=actor,
            requested_at=now,
        )
        held.is_active = False
        held.save(update_fields=["is_active"])
        details = {"request": waiting.pk, "reason": reason.value}
        audit.record(action=AuditAction.PERSON_ERASURE_WAITS, actor=actor, subject=held, details=details)
    return waiting


@transaction.atomic
def run_waiting(*, person: Person, now: dt.datetime) -> ErasureRequest | None:
    """Runs the erasure of a person that waits, where no hold is left.

    Returns:
        The erasure, done or still waiting; None where there is none.

    Raises:
        erasure_ledger.LedgerRefused: like `request`.
    """
    held = _held(person)
    rows = _locked_rows(held)
    waiting = legal_read.waiting_erasure(rows)
    if waiting is None or legal_read.keeps_from_erasure(rows):
        return waiting
    return _run(waiting, held, rows, waiting.requested_by, now)


def run_all_waiting(*, now: dt.datetime) -> list[ErasureRequest]:
    """Runs every erasure that waits and is kept by no hold any more; part of the transaction that lifts one.

    Returns:
        All that waited, done or still waiting.
    """
    waiting = ErasureRequest.objects.filter(state=ErasureRequest.State.WAITING_FOR_HOLD).order_by("person")
    asked = []
    for number in list(waiting.values_list("person", flat=True)):
        # Gone where they were merged into somebody who was erased a moment ago.
        person = Person.objects.filter(pk=number).first()
        asked.append(run_waiting(person=person, now=now) if person is not None else None)
    return [each for each in asked if each is not None]


@transaction.atomic
def repeat(*, person: Person, now: dt.datetime) -> ErasureRequest:
    """Erases a person anew whom a backup brought back; a hold of then was lifted before they were erased.

    Raises:
        erasure_ledger.LedgerRefused: like `request`.
    """
    held = _held(person)
    rows = _locked_rows(held)
    asked = ErasureRequest(person=held, reason=ErasureReason.RESTORED, requested_at=now)
    return _run(asked, held, rows, None, now)


def _held(person: Person) -> Person:
    """Whom a row stands for now, whatever it stood for when it was read; locked."""
    holds.reserve()
    stands_for = people_read.following_merges(Person.objects.get(pk=person.pk))
    return Person.objects.select_for_update().get(pk=stands_for.pk)


def _locked_rows(person: Person) -> list[int]:
    rows = legal_read.rows_of(person)
    # In the order of their keys, as merges lock them: two of them wait for each other and never for ever.
    list(Person.objects.select_for_update().filter(pk__in=rows).order_by("pk"))
    return rows


def _run(
    asked: ErasureRequest, person: Person, rows: list[int], actor: User | None, now: dt.datetime
) -> ErasureRequest:
    erasure_ledger.record(
        people=list(Person.objects.filter(pk__in=rows).values_list("uid", flat=True)),
        samples=list(FaceSample.objects.filter(person__in=rows).values_list("uid", flat=True)),
    )
    # Found once: by names, ids and samples that are about to go.
    touched = list(legal_read.events_showing(rows).values_list("pk", flat=True))
    files = ImportItem.objects.filter(pk__in=list(imported.files_of(rows).values_list("pk", flat=True)))
    crops = EventCrop.objects.filter(event__in=touched).order_by("pk")
    seen = VideoAppearance.objects.filter(pk__in=list(videos_read.showing(rows).values_list("pk", flat=True)))
    # Nobody can be cut out of a film.
    films = VideoPiece.objects.filter(video__in=list(videos_read.naming(rows).values_list("pk", flat=True)))
    contents = erasure_certificates.described(rows=rows, crops=crops, files=files, seen=seen, films=films)
    claimed = RecognitionEvent.objects.filter(legal_read.claims_of(rows)).exclude(claimed_id="")
    removed = sealed_log.forget(
        contents={
            SealedKind.CLAIM: list(claimed.values_list("pk", flat=True)),
            SealedKind.CROP: list(crops.values_list("pk", flat=True)),
            SealedKind.HOLD: list(LegalHold.objects.filter(person__in=rows).values_list("pk", flat=True)),
        }
    )
    linked = RecognitionEvent.objects.filter(
        Q(*((f"{link}__in", rows) for link in _LINKS), _connector=Q.OR) | Q(pk__in=touched)
    )
    tombstones = list(linked.values_list("pk", flat=True))
    contents["emptied"] = {
        "claimed_ids": claimed.update(claimed_id=""),
        "admin_log_entries": _log_emptied(rows),
        # The name of an upload is often that of its only photo.
        "upload_names": ImportBatch.objects.filter(items__in=files).update(file_name=""),
    }
    contents["kept"] = {"events": len(tombstones)}
    crops.delete()
    files.delete()
    seen.delete()
    films.delete()
    _deleted(rows, asked)
    contents["deleted"]["classifier_parts"] = classifiers.remove_what_is_gone(actor=actor)
    asked.certificate = erasure_certificates.make(
        asked=asked, contents=contents, person_number=rows[0], actor=actor, now=now
    )
    asked.certificate.events.set(tombstones)
    asked.person, asked.state = None, ErasureRequest.State.DONE
    asked.save()
    details = {"certificate": asked.certificate.pk, "reason": asked.reason, "removed": removed}
    audit.record(action=AuditAction.PERSON_ERASED, actor=actor, subject=person, details=details)
    return asked


def _log_emptied(rows: Iterable[int]) -> int:
    """The names that Django's own log of the admin holds."""
    kinds = ContentType.objects.get_for_model(Person)
    entries = LogEntry.objects.filter(content_type=kinds, object_id__in=[str(number) for number in rows])
    return entries.update(object_repr="", change_message="")


def _deleted(rows: list[int], asked: ErasureRequest) -> None:
    LegalHold.objects.filter(person__in=rows).delete()
    # Of two rows that were merged, each may have been asked for.
    waiting = ErasureRequest.objects.filter(person__in=rows, state=ErasureRequest.State.WAITING_FOR_HOLD)
    waiting.exclude(pk=asked.pk).delete()
    Person.objects.filter(pk__in=rows).delete()
