"""What a legal hold keeps from being deleted by other ways than an erasure, which waits for it."""

from __future__ import annotations

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
