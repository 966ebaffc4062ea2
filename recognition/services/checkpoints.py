"""Changes checkpoints and groups of people."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction

from recognition.models import AuditAction, Checkpoint, PersonGroup
from recognition.models.checkpoints import new_secret
from recognition.services import audit


@transaction.atomic
def save_checkpoint(
    *, checkpoint: Checkpoint, changed: Sequence[str], groups: Sequence[PersonGroup] | None, actor: User | None
) -> None:
    """Stores a new or changed checkpoint.

    Args:
        checkpoint: as it is to be.
        changed: names of the fields that were changed; only they are written, so that a form which was open
            for long takes no new key back.
        groups: who may pass from now on, where the checkpoint asks for groups; None leaves them.
        actor: who did it.
    """
    columns = {field.name for field in Checkpoint._meta.concrete_fields}
    checkpoint.save(update_fields=[name for name in changed if name in columns] if checkpoint.pk else None)
    if groups is not None:
        checkpoint.allowed_groups.set(groups)
    audit.record(
        action=AuditAction.CHECKPOINT_SAVED, actor=actor, subject=checkpoint, details={"fields": list(changed)}
    )


@transaction.atomic
def make_new_key(*, checkpoint: Checkpoint, actor: User | None) -> None:
    """Replaces the key that webhooks are signed with; calls signed with the old one are refused from now on."""
    checkpoint.action_secret = new_secret()
    checkpoint.save(update_fields=["action_secret"])
    audit.record(
        action=AuditAction.CHECKPOINT_SAVED, actor=actor, subject=checkpoint, details={"fields": ["action_secret"]}
    )


@transaction.atomic
def save_group(*, group: PersonGroup, actor: User | None) -> None:
    """Stores a new or renamed group of people."""
    group.save()
    audit.record(action=AuditAction.GROUP_SAVED, actor=actor, subject=group)


@transaction.atomic
def delete_group(*, group: PersonGroup, actor: User | None) -> None:
    """Removes a group; a checkpoint that admitted only it admits nobody then."""
    audit.record(
        action=AuditAction.GROUP_DELETED,
        actor=actor,
        subject=group,
        details={"checkpoints": list(group.checkpoints.values_list("pk", flat=True))},
    )
    group.delete()
