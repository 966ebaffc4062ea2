"""Records by which right a person is recognised, and what keeps their data from being erased."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from recognition.models import AuditAction, ErasureRequest, LegalBasis, LegalHold, Person
from recognition.services import audit, erasure, holds


class LegalRefused(Exception):
    """Nothing was recorded; the text is for the person who wanted it."""


@transaction.atomic
def record_basis(*, basis: LegalBasis, actor: User | None, now: dt.datetime) -> LegalBasis:
    """Keeps a ground on which a person may be recognised.

    Args:
        basis: a new one; who recorded it is set here.
        actor: who did it.
        now: with a time zone.

    Raises:
        LegalRefused: when it lies in the future or is over, when it ends before it begins, or for a consent
            without the version of its text or without how it was given.
    """
    _check(basis, now)
    basis.recorded_by = actor
    basis.save(force_insert=True)
    details = {"basis": basis.pk, "kind": basis.kind}
    audit.record(action=AuditAction.BASIS_RECORDED, actor=actor, subject=basis.person, details=details)
    return basis


@transaction.atomic
def record_basis_of_all(*, people: Iterable[Person], basis: LegalBasis, actor: User | None, now: dt.datetime) -> int:
    """Keeps the same ground for several people, all or none of them.

    Args:
        people: whose.
        basis: a new one, of nobody yet.
        actor: who did it.
        now: with a time zone.

    Returns:
        For how many it was recorded.

    Raises:
        LegalRefused: like `record_basis`.
    """
    _check(basis, now)
    own = {field.attname: getattr(basis, field.attname) for field in LegalBasis._meta.concrete_fields}
    for unset in ("id", "person_id", "recorded_at", "recorded_by_id"):
        own.pop(unset)
    rows = LegalBasis.objects.bulk_create(LegalBasis(person=person, recorded_by=actor, **own) for person in people)
    changes = [(row.person, {"basis": row.pk, "kind": row.kind}) for row in rows]
    audit.record_all(action=AuditAction.BASIS_RECORDED, actor=actor, changes=changes)
    return len(rows)


def _check(basis: LegalBasis, now: dt.datetime) -> None:
    if basis.given_at > now:
        raise LegalRefused(gettext("The basis is not given yet: choose a time that has passed."))
    if basis.valid_until is not None and basis.valid_until <= now:
        raise LegalRefused(gettext("The basis is over already: leave “valid until” empty, or choose a later time."))
    if basis.kind == LegalBasis.Kind.CONSENT and not (basis.text_version.strip() and basis.how):
        raise LegalRefused(gettext("For a consent, say to which version of the text, and how it was given."))


@transaction.atomic
def withdraw_basis(*, basis: LegalBasis, actor: User | None, now: dt.datetime) -> None:
    """Lets a basis hold no longer; the row stays as a proof until the person is erased.

    Raises:
        LegalRefused: when it was withdrawn before.
    """
    if not LegalBasis.objects.filter(pk=basis.pk, withdrawn_at=None).update(withdrawn_at=now):
        raise LegalRefused(gettext("That basis was withdrawn already."))
    details = {"basis": basis.pk, "kind": basis.kind}
    audit.record(action=AuditAction.BASIS_WITHDRAWN, actor=actor, subject=basis.person, details=details)


@transaction.atomic
def place_hold(*, person: Person, reason: str, actor: User | None) -> LegalHold:
    """Keeps a person from being erased until the hold is lifted.

    Args:
        person: whom.
        reason: why; must not be empty. It is sealed, and stays out of the audit trail.
        actor: who did it.

    Raises:
        LegalRefused: without a reason, or when the person is gone.
    """
    if not reason.strip():
        raise LegalRefused(gettext("Give a reason: it is what explains why an erasure waits."))
    holds.reserve()
    # An erasure that runs now holds the row: whoever is second sees what the first one did.
    if not Person.objects.select_for_update().filter(pk=person.pk).exists():
        raise LegalRefused(gettext("This person was erased meanwhile."))
    hold = LegalHold.objects.create(person=person, reason=reason.strip(), placed_by=actor)
    audit.record(action=AuditAction.HOLD_PLACED, actor=actor, subject=person, details={"hold": hold.pk})
    return hold


@transaction.atomic
def lift_hold(*, hold: LegalHold, actor: User | None, now: dt.datetime) -> ErasureRequest | None:
    """Lifts a hold; erasures that wait for it, also of other people, run at once where no other hold is left.

    Returns:
        The erasure of the person that waited: done, or still waiting for another hold; None where none did.

    Raises:
        LegalRefused: when it was lifted before.
    """
    holds.reserve()
    lifted = LegalHold.objects.filter(pk=hold.pk, lifted_at=None)
    if not lifted.update(lifted_at=now, lifted_by=actor):
        raise LegalRefused(gettext("That hold was lifted already."))
    audit.record(action=AuditAction.HOLD_LIFTED, actor=actor, subject=hold.person, details={"hold": hold.pk})
    asked = erasure.run_waiting(person=hold.person, now=now)
    erasure.run_all_waiting(now=now)
    return asked
