"""Puts people on the deny list and takes them off it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from recognition.models import AuditAction, DenyListEntry, Person
from recognition.services import audit


class DenyListRefused(Exception):
    """The list was not changed; the text is for the person who wanted it."""


@transaction.atomic
def add(*, person: Person, reason: str, actor: User) -> DenyListEntry:
    """Refuses a person everywhere from now on, with an alert when they come.

    Args:
        person: whom.
        reason: why; must not be empty, and stays out of the audit trail, as everything about people does.
        actor: who decided so.

    Raises:
        DenyListRefused: without a reason, or when the person is on the list already.
    """
    if not reason.strip():
        raise DenyListRefused(gettext("Give a reason: it is what colleagues read when the alert comes."))
    entry, is_new = DenyListEntry.objects.get_or_create(
        person=person, defaults={"reason": reason.strip(), "created_by": actor}
    )
    if not is_new:
        raise DenyListRefused(gettext("This person is on the deny list already."))
    audit.record(action=AuditAction.DENY_LIST_ADDED, actor=actor, subject=person)
    return entry


@transaction.atomic
def remove(*, entry: DenyListEntry, actor: User) -> None:
    """Takes a person off the list."""
    audit.record(action=AuditAction.DENY_LIST_REMOVED, actor=actor, subject=entry.person)
    entry.delete()
