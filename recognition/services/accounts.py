"""Keeps who changed what users and roles may do; Django's own pages make the changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import Group, Permission, User
from django.db.models import QuerySet

from recognition.models import AuditAction
from recognition.services import audit

Rights = Mapping[str, object]
"""What somebody may do, without the name of any person."""


def rights_of(user: User) -> Rights:
    """What an account may do, as the database has it; nothing for one that is not stored yet."""
    stored = User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
    if stored is None:
        return {}
    return {
        "is_active": stored.is_active,
        "is_staff": stored.is_staff,
        "is_superuser": stored.is_superuser,
        "roles": sorted(stored.groups.values_list("name", flat=True)),
        "permissions": _codes(stored.user_permissions.all()),
    }


def rights_of_role(role: Group) -> Rights:
    """What a role allows, as the database has it; nothing for one that is not stored yet."""
    stored = Group.objects.select_for_update(no_key=True).filter(pk=role.pk).first()
    return {"name": stored.name, "permissions": _codes(stored.permissions.all())} if stored is not None else {}


def record_user(*, user: User, before: Rights, fields: Sequence[str], actor: User | None) -> None:
    """Records a new or changed account; called in the transaction of the change, after it.

    Args:
        user: as it was stored.
        before: its rights before; empty for a new one.
        fields: names of the fields that were changed; what they hold is kept where it is a right.
        actor: who did it.
    """
    action = AuditAction.USER_CHANGED if before else AuditAction.USER_CREATED
    details = {"fields": list(fields), **audit.changes(before=before, after=rights_of(user))}
    audit.record(action=action, actor=actor, subject=user, details=details)


def record_user_deleted(*, user: User, actor: User | None) -> None:
    """Records that an account goes; called in the transaction that removes it, before."""
    audit.record(action=AuditAction.USER_DELETED, actor=actor, subject=user, details={"before": rights_of(user)})


def record_password(*, user: User, actor: User | None) -> None:
    """Records that somebody set the password of an account, and whether it has one now; never the password."""
    details = {"usable": user.has_usable_password()}
    audit.record(action=AuditAction.USER_PASSWORD_SET, actor=actor, subject=user, details=details)


def record_role(*, role: Group, before: Rights, actor: User | None) -> None:
    """Records a new or changed role; called in the transaction of the change, after it.

    Args:
        role: as it was stored.
        before: what it allowed before; empty for a new one.
        actor: who did it.
    """
    details = audit.changes(before=before, after=rights_of_role(role))
    audit.record(action=AuditAction.ROLE_SAVED, actor=actor, subject=role, details=details)


def record_role_deleted(*, role: Group, actor: User | None) -> None:
    """Records that a role goes, and from whom; called in the transaction that removes it, before."""
    details = {"before": rights_of_role(role), "users": sorted(role.user_set.values_list("pk", flat=True))}
    audit.record(action=AuditAction.ROLE_DELETED, actor=actor, subject=role, details=details)


def _codes(permissions: QuerySet[Permission]) -> list[str]:
    pairs = permissions.values_list("content_type__app_label", "codename")
    return sorted(f"{app}.{code}" for app, code in pairs)
