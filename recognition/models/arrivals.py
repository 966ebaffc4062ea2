"""Which transaction brought a row: by it a process knows what it has not seen yet, in whatever order others commit."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Func


class TransactionId(Field):  # type: ignore[type-arg]  # generic in the stubs only
    """A transaction of this very PostgreSQL server; it says nothing in another one, so that copies leave it out."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """PostgreSQL's type, which never wraps around."""
        return "xid8"


class CurrentTransaction(Func):
    """The transaction in which it is asked for."""

    function = "pg_current_xact_id"
    output_field = TransactionId()
