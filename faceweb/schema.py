"""The database schema: apply the migrations that are pending, one process at a time."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

# Any number that is ours alone among the advisory locks of the database.
ADVISORY_LOCK = 0x_FACE_3EB


def pending_migrations() -> int:
    """Return how many migrations the database has not seen."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def apply_pending_migrations(*, say: Callable[[str], None]) -> None:
    """Bring the schema up to date; of several processes that start at once, one does it and the others wait."""
    if not pending_migrations():
        return
    with alone():
        pending = pending_migrations()
        if pending:
            say(f"Preparing the database ({pending} migrations)...")
            with without_collecting():
                call_command("migrate", verbosity=0, interactive=False)


def tell_pending_migrations(*, say: Callable[[str], None]) -> None:
    """Say so when the schema is behind the code; a server shared by many is changed by `migrate` or `up` only."""
    if pending := pending_migrations():
        say(f"The database is {pending} migrations behind this version: run `faceweb migrate`.")


def close_connections() -> None:
    """Close every connection and the pools, whose threads would outlive the command."""
    connections.close_all()
    for each in connections.all(initialized_only=True):
        each.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's wrapper, the only one the settings allow


@contextmanager
def without_collecting() -> Iterator[None]:
    """Keep Python from looking for garbage, a third of a migration's time: it makes every model anew many times."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def alone() -> Iterator[None]:
    """Be the only process that changes the schema for the duration of the block."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])
