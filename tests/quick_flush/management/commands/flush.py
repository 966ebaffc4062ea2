"""Empties the tests' database; but for content types and permissions, which are the same in every test."""

from __future__ import annotations

import functools
from typing import Any

from django.core.management.commands import flush
from django.db import connection, transaction
from psycopg import sql

KEPT = ("django_content_type", "auth_permission")


class Command(flush.Command):
    """Django's own truncates every table, each with its indexes, and has all permissions made anew."""

    def handle(self, **_options: Any) -> None:
        """Deletes the rows of the tables that have any."""
        with transaction.atomic(), connection.cursor() as cursor:
            # Neither foreign keys nor the guards against changes of what was decided: it is as if nothing had happened.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(_those_with_rows(_tables()))
            for table in cursor.fetchone()[0]:
                cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


@functools.cache
def _tables() -> tuple[str, ...]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return tuple(sorted(set(names) - set(KEPT)))


def _those_with_rows(tables: tuple[str, ...]) -> sql.Composed:
    each = [
        sql.SQL("CASE WHEN EXISTS (SELECT FROM {}) THEN {} END").format(sql.Identifier(table), sql.Literal(table))
        for table in tables
    ]
    return sql.SQL("SELECT array_remove(ARRAY[{}], NULL)").format(sql.SQL(", ").join(each))
