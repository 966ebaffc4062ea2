"""Keeps who changed what; called by every writing service inside its own transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User
from django.db import models

from recognition.models import AuditAction, AuditEntry


def record(
    *,
    action: AuditAction,
    actor: User | None,
    subject: models.Model | None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Records one change.

    Args:
        action: what was done.
        actor: who did it; None for the command line.
        subject: the row it was done to; None for the installation as a whole.
        details: values before and after; no image, vector or name.
    """
    _entry(action, actor, subject, details or {}).save(force_insert=True)


def record_all(
    *,
    action: AuditAction,
    actor: User | None,
    changes: Sequence[tuple[models.Model, Mapping[str, object]]],
) -> None:
    """Records the same change of many rows, in their order.

    Args:
        action: what was done.
        actor: who did it; None for the command line.
        changes: each row that it was done to, with values before and after; no image, vector or name.
    """
    AuditEntry.objects.bulk_create([_entry(action, actor, subject, details) for subject, details in changes])


def changes(*, before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, object]:
    """What differs, as `details` keep it.

    Args:
        before: values by name; empty for what is new.
        after: likewise.

    Returns:
        Values `before` and `after`, of the names whose values differ; nothing where none does.
    """
    was = {name: value for name, value in before.items() if name not in after or after[name] != value}
    is_now = {name: value for name, value in after.items() if name not in before or before[name] != value}
    return {"before": was, "after": is_now} if was or is_now else {}


def _entry(
    action: AuditAction, actor: User | None, subject: models.Model | None, details: Mapping[str, object]
) -> AuditEntry:
    return AuditEntry(
        action=action,
        actor=actor,
        subject=f"{subject._meta.model_name}:{subject.pk}" if subject is not None else "installation",
        details=dict(details),
    )
