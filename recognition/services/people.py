"""Changes and removes people and samples."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from recognition.models import AuditAction, FaceSample, Person, PersonGroup, SampleImage, WaitingPhoto
from recognition.selectors import legal
from recognition.services import audit, classifiers, erasure_ledger, holds

_PIN = re.compile(r"[0-9]{4,8}")


class PinRefused(Exception):
    """The PIN was not set; the text is for the person who typed it."""


@transaction.atomic
def save_person(
    *, person: Person, changed: Sequence[str], actor: User | None, groups: Iterable[PersonGroup] | None = None
) -> None:
    """Stores a new or changed person.

    Args:
        person: as it is to be.
        changed: names of the fields that were changed; only they are written, so that a form which was
            open for long takes back nobody's suspension. The audit trail keeps the values of those that decide
            whether the person may pass; names and notes it keeps not.
        actor: who did it.
        groups: those that the person belongs to from now on; left out, they stay.
    """
    is_new, before = person.pk is None, _audited(person)
    columns = {field.name for field in Person._meta.concrete_fields}
    person.save(update_fields=None if is_new else [name for name in changed if name in columns])
    if groups is not None:
        person.groups.set(groups)
    action = AuditAction.PERSON_ENROLLED if is_new else AuditAction.PERSON_CHANGED
    details = {"fields": list(changed), **audit.changes(before=before, after=_audited(person))}
    audit.record(action=action, actor=actor, subject=person, details=details)


def _audited(person: Person) -> dict[str, object]:
    """What decides whether somebody may pass, as the database has it; nothing for who is not stored yet."""
    stored = Person.objects.select_for_update(no_key=True).filter(pk=person.pk).first()
    if stored is None:
        return {}
    return {
        "is_active": stored.is_active,
        "is_suspended": stored.is_suspended,
        "valid_from": stored.valid_from.isoformat() if stored.valid_from else None,
        "valid_until": stored.valid_until.isoformat() if stored.valid_until else None,
        "groups": sorted(stored.groups.values_list("pk", flat=True)),
    }


@transaction.atomic
def set_pin(*, person: Person, pin: str | None, actor: User | None) -> None:
    """Sets the second factor of a person's claims; it is stored as a hash and never shown again.

    Args:
        person: whose.
        pin: 4 to 8 digits; None takes it away.
        actor: who did it.

    Raises:
        PinRefused: for anything else.
    """
    if pin is not None and not _PIN.fullmatch(pin):
        raise PinRefused(gettext("A PIN has 4 to 8 digits and nothing else."))
    person.pin_hash = make_password(pin) if pin is not None else ""
    person.save(update_fields=["pin_hash"])
    audit.record(action=AuditAction.PERSON_PIN_SET, actor=actor, subject=person, details={"removed": pin is None})


def is_pin_right(*, person: Person | None, pin: str | None) -> bool | None:
    """Whether a PIN is a person's; takes as long for nobody as for somebody.

    Args:
        person: the claimed one; None where nobody has the claimed id.
        pin: as it was typed; None when none was.

    Returns:
        False also where they have one and none was typed; None where the person has none, or there is no person.
    """
    stored = person.pin_hash if person is not None else ""
    if pin is None:
        return False if stored else None
    is_right = check_password(pin, stored or _nobodys_hash())
    return is_right if stored else None


@transaction.atomic
def set_keeps_photos(*, person: Person, keeps: bool, actor: User | None) -> int:
    """Keeps no photos of a person from now on and deletes those that are there, or keeps photos again.

    Templates, measurements and recognition events stay; what waits for a choice is deleted with the photos.

    Args:
        person: whose.
        keeps: whether photos that come are stored.
        actor: who did it.

    Returns:
        How many photos were deleted.

    Raises:
        holds.DataHeld: when photos would have to go that a legal hold keeps.
    """
    held = Person.objects.select_for_update().get(pk=person.pk)
    if not keeps:
        holds.require_none(person=held)
    held.keeps_photos = keeps
    held.save(update_fields=["keeps_photos"])
    removed = 0
    if not keeps:
        # Rows that were merged into theirs are hidden, not gone, and may hold photos.
        everyone = legal.rows_of(held)
        removed = SampleImage.objects.filter(sample__person__in=everyone).delete()[0]
        WaitingPhoto.objects.filter(person__in=everyone).delete()
    action = AuditAction.PERSON_PHOTOS_KEPT if keeps else AuditAction.PERSON_PHOTOS_REMOVED
    audit.record(action=action, actor=actor, subject=held, details={"removed": removed})
    return removed


@functools.cache
def _nobodys_hash() -> str:
    """Hashed as a person's is, so that comparing with it takes as long."""
    return make_password("no PIN has letters")


@transaction.atomic
def set_sample_status(
    *, sample: FaceSample, status: FaceSample.Status, actor: User | None, move: int | None = None
) -> None:
    """Takes a sample out of the search, or back into it.

    Args:
        sample: which one.
        status: from now on.
        actor: who did it.
        move: primary key of the move whose undo does it; None where somebody wanted it, or the doubts are void.
    """
    before = sample.status
    if before == status:
        return
    sample.status = status
    sample.save(update_fields=["status"])
    details = {"before": before, "after": status} | ({} if move is None else {"move": move})
    audit.record(action=AuditAction.SAMPLE_STATUS_CHANGED, actor=actor, subject=sample, details=details)


@transaction.atomic
def delete_sample(*, sample: FaceSample, actor: User | None) -> None:
    """Removes a sample with its picture and templates.

    Raises:
        holds.DataHeld: when a legal hold keeps it.
        erasure_ledger.LedgerRefused: when it cannot be noted that a restored backup must remove it again.
    """
    holds.require_none(person=sample.person)
    delete_sample_again(sample=sample, actor=actor)


@transaction.atomic
def delete_sample_again(*, sample: FaceSample, actor: User | None) -> None:
    """Removes a sample that a backup brought back; a hold of then was lifted before it was deleted.

    Raises:
        erasure_ledger.LedgerRefused: when it cannot be noted that a restored backup must remove it again.
    """
    erasure_ledger.record(people=(), samples=[sample.uid])
    audit.record(
        action=AuditAction.SAMPLE_DELETED,
        actor=actor,
        subject=sample,
        details={"person": sample.person_id},
    )
    sample.delete()
    classifiers.remove_what_is_gone(actor=actor)
