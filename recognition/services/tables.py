"""Which tables hold the data of an installation, at whatever migration its database stands."""

from __future__ import annotations

import dataclasses
import graphlib
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from psycopg import sql

LEFT_OUT = frozenset({"axes", "procrastinate", "sessions"})
"""Apps whose rows belong to a running server and not to its data: failed log-ins, the queue, who is logged in.

A session that was ended since a backup must not come back with it. Open jobs are put into the queue anew.
"""

LEFT_OUT_TABLES = frozenset({"recognition_videopiece"})
"""Films: larger than all the rest, kept for days, and of no use but to be played (docs/adr/0018-videos.md)."""

Migration = tuple[str, str]
"""An app and the name of a migration."""


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """A table and what a copy of it has to keep.

    Args:
        name: of the table.
        columns: that are stored, in order.
        sequences: by the column that each fills: its last value, and whether that was given out.
    """

    name: str
    columns: tuple[str, ...]
    sequences: Mapping[str, tuple[int, bool]]

    @property
    def as_sql(self) -> sql.Composed:
        """The table with its columns, as COPY wants them."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        return sql.SQL("{} ({})").format(sql.Identifier(self.name), columns)


def applied_migrations() -> list[Migration]:
    """The migrations that the database has seen, of those that this program knows."""
    loader = MigrationExecutor(connection).loader
    return sorted(key for key in loader.applied_migrations if key in loader.graph.nodes)


def stored() -> list[Table]:
    """Every table of the database as it is now, referenced ones first; without what is left out.

    Asked of the migrations rather than of today's models, so that a database which is behind is copied as it is.
    """
    app_of = _app_of_each(applied_migrations())
    names = {name for name, app in app_of.items() if app not in LEFT_OUT} - LEFT_OUT_TABLES
    with connection.cursor() as cursor:
        return [_described(cursor, name) for name in _referenced_first(cursor, names)]


def of_no_data() -> set[str]:
    """Tables that may be there although the installation holds nothing: those of `LEFT_OUT`, and Django's own."""
    app_of = _app_of_each(MigrationExecutor(connection).loader.graph.leaf_nodes())
    return {name for name, app in app_of.items() if app in LEFT_OUT} | {MigrationRecorder.Migration._meta.db_table}


def _app_of_each(migrations: list[Migration]) -> dict[str, str]:
    """The app of each table that there is when these migrations were applied."""
    models = MigrationExecutor(connection).loader.project_state(migrations).apps.get_models(include_auto_created=True)
    return {model._meta.db_table: model._meta.app_label for model in models if not model._meta.proxy}


def _described(cursor: CursorWrapper, name: str) -> Table:
    # Numbers of transactions mean nothing to another server.
    cursor.execute(
        "SELECT column_name, pg_get_serial_sequence(quote_ident(table_name), column_name)"
        " FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER'"
        " AND udt_name <> 'xid8'"
        " ORDER BY ordinal_position",
        [name],
    )
    rows = cursor.fetchall()
    sequences = {column: _state(cursor, sequence) for column, sequence in rows if sequence}
    return Table(name, tuple(column for column, _ in rows), sequences)


def _state(cursor: CursorWrapper, sequence: str) -> tuple[int, bool]:
    cursor.execute(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608  # quoted by the database itself
    row: tuple[Any, ...] = cursor.fetchone()
    return int(row[0]), bool(row[1])


def _referenced_first(cursor: CursorWrapper, names: set[str]) -> list[str]:
    """Foreign keys that are looked at when a transaction ends allow any order; procrastinate's way is at once."""
    cursor.execute(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f' AND NOT condeferrable AND conrelid <> confrelid"
    )
    wanted: dict[str, set[str]] = {name: set() for name in sorted(names)}
    for table, referenced in cursor.fetchall():
        if table in wanted and referenced in wanted:
            wanted[table].add(referenced)
    return list(graphlib.TopologicalSorter(wanted).static_order())
