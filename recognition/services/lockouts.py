"""Lifts lockouts; `services.transactions` makes them."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from recognition.decision.lockout import Lockout
from recognition.models import AuditAction, ClaimLockout
from recognition.services import audit


@transaction.atomic
def lift(*, lockout: ClaimLockout, actor: User) -> None:
    """Lets a person be claimed again at a checkpoint, with nothing held against them.

    Args:
        lockout: at which checkpoint, and of whom.
        actor: who lifts it.
    """
    row = ClaimLockout.objects.select_for_update().get(pk=lockout.pk)
    before = {"failures": row.failures, "was_stopped": row.is_stopped}
    free = Lockout(row.failures, row.locked_until, row.is_stopped).lifted()
    row.failures, row.locked_until, row.is_stopped = free.failures, free.locked_until, free.is_stopped
    row.save()
    audit.record(
        action=AuditAction.LOCKOUT_LIFTED,
        actor=actor,
        subject=row,
        details={"checkpoint": row.checkpoint_id, "person": row.person_id, **before},
    )
