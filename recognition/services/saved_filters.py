"""Keeps filters of the log that somebody wants to use again."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from recognition.models import AuditAction, SavedFilter
from recognition.services import audit


class FilterRefused(Exception):
    """The filter was not kept; the text is for the person who wanted it."""


@transaction.atomic
def save(*, owner: User, name: str, query: Mapping[str, str], is_shared: bool) -> SavedFilter:
    """Keeps a filter under a name; one that the owner has of that name is written over.

    Args:
        owner: who uses it.
        name: 1 to 60 characters.
        query: as the address of the page has it.
        is_shared: whether others may use it too.

    Raises:
        FilterRefused: without a name, with one that is too long, or for a filter that keeps everything.
    """
    cleaned = " ".join(name.split())
    longest = SavedFilter._meta.get_field("name").max_length or 0
    if not 0 < len(cleaned) <= longest:
        raise FilterRefused(gettext("Give the filter a name of 1 to %(longest)d characters.") % {"longest": longest})
    if not query:
        raise FilterRefused(gettext("There is nothing to save: the filter keeps every event."))
    row, _ = SavedFilter.objects.update_or_create(
        owner=owner, name=cleaned, defaults={"query": dict(query), "is_shared": is_shared}
    )
    # What is looked for may hold a name.
    details = {"fields": sorted(query), "is_shared": is_shared}
    audit.record(action=AuditAction.FILTER_SAVED, actor=owner, subject=row, details=details)
    return row


@transaction.atomic
def delete(*, saved: SavedFilter, actor: User) -> None:
    """Removes a filter; a shared one for everybody."""
    audit.record(action=AuditAction.FILTER_DELETED, actor=actor, subject=saved, details={"is_shared": saved.is_shared})
    saved.delete()
