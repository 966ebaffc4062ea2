"""What a legal hold keeps from being deleted by other ways than an erasure, which waits for it.

Whoever places or lifts a hold, erases, or draws events for review begins with `reserve`; retention begins with
`let_none_come`. So neither waits for the other with a row in hand that the other wants.
"""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext

from recognition.models import Person
from recognition.selectors import legal


class DataHeld(Exception):
    """Nothing was deleted or moved away; the text is for the person who wanted it."""


def require_none(*, person: Person) -> None:
    """Sees to it that no legal hold keeps what is stored of a person.

    Raises:
        DataHeld: when one does.
    """
    if legal.is_held(legal.rows_of(person)):
        raise DataHeld(gettext("A legal hold keeps what is stored of this person. It must be lifted first."))


def reserve() -> None:
    """Waits until retention is at the end of a step, before any row is locked; many may do so at once."""
    _lock("ROW EXCLUSIVE")


def let_none_come() -> None:
    """Keeps holds from being placed until the transaction ends; whoever wanted to then finds what is left."""
    _lock("SHARE ROW EXCLUSIVE")


def _lock(mode: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE recognition_legalhold, recognition_eventhold IN {mode} MODE")
