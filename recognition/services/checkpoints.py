"""Changes checkpoints and groups of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

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
    before = _audited(checkpoint)
    columns = {field.name for field in Checkpoint._meta.concrete_fields}
    checkpoint.save(update_fields=[name for name in changed if name in columns] if checkpoint.pk else None)
    if groups is not None:
        checkpoint.allowed_groups.set(groups)
    details = {"fields": list(changed), **audit.changes(before=before, after=_audited(checkpoint))}
    audit.record(action=AuditAction.CHECKPOINT_SAVED, actor=actor, subject=checkpoint, details=details)


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
    before: Mapping[str, object] = PersonGroup.objects.filter(pk=group.pk).values("name").first() or {}
    group.save()
    details = audit.changes(before=before, after={"name": group.name})
    audit.record(action=AuditAction.GROUP_SAVED, actor=actor, subject=group, details=details)


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


def _audited(checkpoint: Checkpoint) -> dict[str, object]:
    """What decides who passes, as the database has it; nothing for a checkpoint that is not stored yet.

    Of the webhook its host alone: the rest of the address may hold a secret.
    """
    stored = Checkpoint.objects.select_for_update(no_key=True).filter(pk=checkpoint.pk).first()
    if stored is None:
        return {}
    return {
        "mode": stored.mode,
        "admits": stored.admits,
        "groups": sorted(stored.allowed_groups.values_list("pk", flat=True)),
        "attempt_limit": stored.attempt_limit,
        "is_active": stored.is_active,
        "action_host": urlsplit(stored.action_url).hostname,
        "action_deadline_s": stored.action_deadline_s,
    }
