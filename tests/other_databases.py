"""Databases beside the tests' own, for what is about a whole database."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import psycopg
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from psycopg import sql

from faceweb import env

_numbers = itertools.count(1)


@contextlib.contextmanager
def empty_database() -> Iterator[str]:
    """Has the models work on a new and empty database for the duration of the block; gives its name."""
    name = f"faceweb_other_{next(_numbers)}"
    own = connection.settings_dict["NAME"]
    with psycopg.connect(env.DATABASE_URL.read(), autocommit=True) as server:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        server.execute(drop)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            _use(name)
            yield name
        finally:
            _use(own)
            server.execute(drop)


@contextlib.contextmanager
def second_connection() -> Iterator[psycopg.Connection]:
    """Another client of the database that the models work on."""
    own = connection.settings_dict
    with psycopg.connect(env.DATABASE_URL.read(), dbname=own["NAME"], autocommit=True) as other:
        yield other


def rows_of(table: str) -> list[tuple[Any, ...]]:
    """Every row of a table, in the order of its first column."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier(table)))
        return list(cursor.fetchall())


def _use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name
    ContentType.objects.clear_cache()
