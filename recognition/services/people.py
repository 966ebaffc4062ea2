"""Changes and removes people and samples."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction

from recognition.models import AuditAction, FaceSample, Person
from recognition.services import audit


@transaction.atomic
def save_person(*, person: Person, changed: Sequence[str], actor: User | None) -> None:
    """Stores a new or changed person.

    Args:
        person: as it is to be.
        changed: names of the fields that were changed; their values are kept in no log.
        actor: who did it.
    """
    action = AuditAction.PERSON_CHANGED if person.pk else AuditAction.PERSON_ENROLLED
    person.save()
    audit.record(action=action, actor=actor, subject=person, details={"fields": list(changed)})


@transaction.atomic
def delete_person(*, person: Person, actor: User | None) -> None:
    """Removes a person with all samples and templates; events stay, without a name."""
    audit.record(action=AuditAction.PERSON_DELETED, actor=actor, subject=person)
    person.delete()


@transaction.atomic
def set_sample_status(*, sample: FaceSample, status: FaceSample.Status, actor: User | None) -> None:
    """Takes a sample out of the search, or back into it."""
    before = sample.status
    if before == status:
        return
    sample.status = status
    sample.save(update_fields=["status"])
    audit.record(
        action=AuditAction.SAMPLE_STATUS_CHANGED,
        actor=actor,
        subject=sample,
        details={"before": before, "after": status},
    )


@transaction.atomic
def delete_sample(*, sample: FaceSample, actor: User | None) -> None:
    """Removes a sample with its picture and templates."""
    audit.record(
        action=AuditAction.SAMPLE_DELETED,
        actor=actor,
        subject=sample,
        details={"person": sample.person_id},
    )
    sample.delete()
