"""Puts people on the deny list and takes them off it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from recognition.models import AuditAction, DenyListEntry, Person
from recognition.selectors import people
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
        DenyListRefused: without a reason, when they are on the list already, or when the row was merged into another.
    """
    if not reason.strip():
        raise DenyListRefused(gettext("Give a reason: it is what colleagues read when the alert comes."))
    # Held, so that no merge in between hides the row and the ban with it.
    held = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if held.merged_into is not None:
        names = {"old": held.name, "name": people.following_merges(held).name}
        raise DenyListRefused(gettext("%(old)s was merged into %(name)s meanwhile. Put %(name)s on the list.") % names)
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
