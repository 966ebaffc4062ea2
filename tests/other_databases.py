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

XID8_OID = 5069  # in pg_type, of the type for numbers of transactions


@contextlib.contextmanager
def empty_database() -> Iterator[str]:
    """Has the models work on a new and empty database for the duration of the block; gives its name."""
    with new_database() as name, using(name):
        yield name


@contextlib.contextmanager
def new_database(template: str = "template1") -> Iterator[str]:
    """A database for the duration of the block; gives its name.

    Args:
        template: database that it is a copy of (0.1 s); nobody may be connected to that one.
    """
    name = f"{connection.settings_dict['NAME']}_other_{next(_numbers)}"
    with psycopg.connect(env.DATABASE_URL.read(), autocommit=True) as server:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        server.execute(drop)
        server.execute(create)
        try:
            yield name
        finally:
            server.execute(drop)


@contextlib.contextmanager
def using(name: str) -> Iterator[None]:
    """Has the models work on that database for the duration of the block; nobody is connected to it afterwards."""
    own = connection.settings_dict["NAME"]
    _use(name)
    try:
        yield
    finally:
        _use(own)


@contextlib.contextmanager
def second_connection() -> Iterator[psycopg.Connection]:
    """Another client of the database that the models work on."""
    own = connection.settings_dict
    with psycopg.connect(env.DATABASE_URL.read(), dbname=own["NAME"], autocommit=True) as other:
        yield other


def rows_of(table: str) -> list[tuple[Any, ...]]:
    """Every row of a table, in the order of its first column; without numbers of transactions, which no copy keeps."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier(table)))
        kept = [index for index, column in enumerate(cursor.description) if column.type_code != XID8_OID]
        return [tuple(row[index] for index in kept) for row in cursor.fetchall()]


def _use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name
    ContentType.objects.clear_cache()
