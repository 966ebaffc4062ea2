"""How long the database may take for what somebody stands and waits for."""

from __future__ import annotations

from django.db import connection

DECISION_S = 3.0
"""A decision that is not stored by then is none: whoever waits for it hears that it failed."""


def limit(seconds: float) -> None:
    """Has every further statement of this transaction, its commit among them, end as an error when it takes longer.

    Without it a table that is locked, or a disk that hangs, holds up a thread for each decision.

    Args:
        seconds: for each statement.
    """
    with connection.cursor() as cursor:
        # A setting cannot be a parameter of SET; set_config takes one, and true makes it the transaction's.
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{round(seconds * 1e3)}ms"])
