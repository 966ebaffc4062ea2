"""Writes a backup: database and keys in one signed archive, as of one moment, while the installation goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from recognition.models import AuditAction
from recognition.services import archives, audit, tables
from recognition.services.tables import Table

KIND = "backup"

# A copy as text means the same to every server; these are what a text depends on.
TEXT_SETTINGS = (
    "SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL TimeZone = 'UTC';"
    " SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Made:
    """A backup that was written.

    Args:
        moment: as of when, by the clock of the database.
        rows: how many, by table.
        fingerprint: of the key that signed it.
        size: of the file in bytes.
    """

    moment: dt.datetime
    rows: Mapping[str, int]
    fingerprint: str
    size: int


def member_of(table: str) -> str:
    """Where an archive holds the rows of a table."""
    return f"database/{table}.copy"


def member_of_key(name: str) -> str:
    """Where an archive holds a key."""
    return f"keys/{name}"


def write(
    *,
    path: Path,
    key: Ed25519PrivateKey,
    keys: Mapping[str, bytes],
    program: str,
    report: archives.Report = lambda size: None,
) -> Made:
    """Writes everything that the installation knows to one archive; others read and write meanwhile.

    Args:
        path: of the archive; it is there when it is whole and not before.
        key: what signs it. It is not in the archive: who gets hold of one must not be able to make another.
        keys: further secrets by name.
        program: version of this program.
        report: is told how many bytes were copied.

    Raises:
        archives.ArchiveRefused: when it cannot be written.
    """
    with archives.writing(path=path, kind=KIND, key=key) as archive:
        with snapshot() as (cursor, moment):
            contents = _described(cursor)
            rows = {}
            for table in tables.stored():
                statement = sql.SQL("COPY {} TO STDOUT").format(table.as_sql)
                with (
                    archive.member(member_of(table.name), report=report) as write_piece,
                    cursor.copy(statement) as copy,
                ):
                    for piece in copy:
                        write_piece(bytes(piece))
                rows[table.name] = cursor.rowcount
                contents["tables"].append(_listed(table, cursor.rowcount))
        for name, secret in keys.items():
            archive.add(member_of_key(name), secret)
        with transaction.atomic():
            audit.record(action=AuditAction.BACKUP_MADE, actor=None, subject=None, details={"rows": sum(rows.values())})
            archive.finish({**contents, "program": program, "moment": moment.isoformat(), "keys": sorted(keys)})
    return Made(moment, rows, archives.fingerprint(key.public_key()), path.stat().st_size)


@contextlib.contextmanager
def snapshot() -> Iterator[tuple[CursorWrapper, dt.datetime]]:
    """A cursor that sees the database as of one moment, and that moment; it changes nothing and holds up nobody."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(TEXT_SETTINGS)
        cursor.execute("SELECT now()")  # when the transaction began: not later than what it sees
        row = cursor.fetchone()
        yield cursor, row[0]


def _described(cursor: CursorWrapper) -> dict[str, Any]:
    cursor.execute("SELECT name, digest, is_active FROM recognition_modelpack ORDER BY id")
    packs = [{"name": name, "digest": digest, "is_active": is_active} for name, digest, is_active in cursor.fetchall()]
    return {"migrations": tables.applied_migrations(), "packs": packs, "tables": []}


def _listed(table: Table, rows: int) -> dict[str, Any]:
    return {**dataclasses.asdict(table), "rows": rows}
