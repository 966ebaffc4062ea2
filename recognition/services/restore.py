"""Restores a backup into an empty database, all of it or nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.translation import gettext
from psycopg import sql

from recognition.models import AuditAction, FaceSample, ModelPack, Person
from recognition.services import archives, audit, backup, erasure, jobs, packs, people, tables
from recognition.services.archives import Archive, ArchiveRefused
from recognition.services.erasure_ledger import Erasure
from recognition.services.tables import Migration, Table


class NotEmpty(Exception):
    """The database holds something; the text is for the person who wanted to restore into it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Restored:
    """What a restored backup brought.

    Args:
        moment: as of when it was made.
        rows: how many, by table, before anything was erased again.
        erased: how many people and samples that it held were erased again.
        jobs: how many open jobs wait in the queue again.
        keys: secrets by name, to be put where they belong.
    """

    moment: dt.datetime
    rows: Mapping[str, int]
    erased: int
    jobs: int
    keys: Mapping[str, bytes]


@dataclasses.dataclass(frozen=True, slots=True)
class Contents:
    """What the manifest of a backup says.

    Args:
        moment: as of when it was made.
        migrations: that its database had seen.
        tables: with how many rows each has, in the order in which they are to be loaded.
        keys: names of the secrets it holds.
    """

    moment: dt.datetime
    migrations: tuple[Migration, ...]
    tables: tuple[tuple[Table, int], ...]
    keys: tuple[str, ...]


def contents_of(*, archive: Archive) -> Contents:
    """What an archive says of itself, found to be what this program can restore.

    Raises:
        ArchiveRefused: when a newer program made it.
    """
    said = archive.contents
    try:
        found = Contents(
            moment=dt.datetime.fromisoformat(said["moment"]),
            migrations=tuple((app, name) for app, name in said["migrations"]),
            tables=tuple((_table(each), int(each["rows"])) for each in said["tables"]),
            keys=tuple(said["keys"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ArchiveRefused(
            gettext("%(path)s lacks what a backup says of itself.") % {"path": archive.path}
        ) from error
    unknown = set(found.migrations) - MigrationExecutor(connection).loader.disk_migrations.keys()
    if unknown:
        raise ArchiveRefused(
            gettext(
                "%(path)s was made by another version of faceweb (%(version)s), whose migration %(migration)s this one "
                "does not have. Install that version or a newer one, and restore again."
            )
            % {
                "path": archive.path,
                "version": said.get("program"),
                "migration": ".".join(min(unknown)),
            }
        )
    return found


def into_empty_database(
    *, archive: Archive, erased: Sequence[Erasure], report: archives.Report = lambda size: None
) -> Restored:
    """Brings back what a backup holds, erases what was erased since, and brings the schema to this version.

    One transaction: whatever goes wrong, the database is as empty as it was, but for tables of `tables.LEFT_OUT`, in
    which nothing is.

    Args:
        archive: opened and verified.
        erased: since the moment of the backup.
        report: is told how many bytes were loaded.

    Raises:
        NotEmpty: when there is a table already.
        ArchiveRefused: when it cannot be restored by this program, or does not hold what it says.
    """
    contents = contents_of(archive=archive)
    keys = {name: b"".join(archive.read(backup.member_of_key(name), report=report)) for name in contents.keys}
    _require_empty()
    # By itself, because PostgreSQL wants a new value of a type committed before it is used, as the queue does.
    _migrate(None, lambda migration: migration[0] in tables.LEFT_OUT)
    try:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            _migrate(cursor, lambda migration: migration in contents.migrations)
            _load(cursor, archive, contents, report)
            _migrate(cursor, lambda migration: True)
            # Nothing is pending; it makes the permissions of newer models, as after every migration.
            call_command("migrate", verbosity=0, interactive=False)
            ContentType.objects.clear_cache()
            for pack in ModelPack.objects.order_by("pk"):
                packs.check_dimension(pack=pack)
            waiting = jobs.put_all_back_into_queue()
            gone = _erase_again(erased)
            rows = {table.name: count for table, count in contents.tables}
            details = {"moment": contents.moment.isoformat(), "rows": sum(rows.values()), "erased": gone}
            audit.record(action=AuditAction.BACKUP_RESTORED, actor=None, subject=None, details=details)
    except (psycopg.Error, DatabaseError) as error:
        raise ArchiveRefused(
            gettext("%(path)s cannot be restored; the database is as empty as it was. PostgreSQL refused: %(reason)s.")
            % {"path": archive.path, "reason": _reason(error)}
        ) from error
    return Restored(contents.moment, rows, gone, waiting, keys)


def _reason(error: Exception) -> str:
    """What PostgreSQL refused, without the words that may quote a row."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if not isinstance(cause, psycopg.Error):
        return type(error).__name__
    said = cause.diag
    return " ".join(filter(None, [type(cause).__name__, said.sqlstate, said.table_name, said.constraint_name]))


def _table(said: Mapping[str, Any]) -> Table:
    sequences = {str(column): (int(last), bool(is_called)) for column, (last, is_called) in said["sequences"].items()}
    return Table(str(said["name"]), tuple(map(str, said["columns"])), sequences)


def _require_empty() -> None:
    if set(connection.introspection.table_names()) - tables.of_no_data():
        raise NotEmpty(
            gettext(
                "A backup is restored into an empty installation only, and this one has a database already. Choose a "
                "new state directory (FACEWEB_STATE_DIR), or an empty database (DATABASE_URL). Nothing was changed."
            )
        )


def _migrate(cursor: CursorWrapper | None, is_wanted: Callable[[Migration], bool]) -> None:
    """Applies those of the pending migrations; within a transaction where there is a cursor of it."""

    def settle(action: str, *_: object) -> None:
        if action == "apply_success" and cursor is not None:
            # Outside this transaction each migration has one of its own, at whose end this is done: a table whose
            # foreign keys have yet to be looked at cannot be changed.
            _look_at_constraints(cursor)

    executor = MigrationExecutor(connection, settle)
    newest = executor.loader.graph.leaf_nodes()
    pending = executor.migration_plan(newest)
    executor.migrate(newest, [step for step in pending if is_wanted((step[0].app_label, step[0].name))])


def _look_at_constraints(cursor: CursorWrapper) -> None:
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _load(cursor: CursorWrapper, archive: Archive, contents: Contents, report: archives.Report) -> None:
    here = {table.name: set(table.columns) for table in tables.stored()}
    if here != {table.name: set(table.columns) for table, _ in contents.tables}:
        raise ArchiveRefused(
            gettext("The tables in %(path)s are not those that its migrations make.") % {"path": archive.path}
        )
    cursor.execute(backup.TEXT_SETTINGS)
    # Migrations have filled some; the backup has them too, with the numbers that other rows name.
    names = sql.SQL(", ").join(sql.Identifier(name) for name in here)
    cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
    _seal(cursor, "DISABLE")
    for table, rows in contents.tables:
        with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(table.as_sql)) as copy:
            for block in archive.read(backup.member_of(table.name), report=report):
                copy.write(block)
        if cursor.rowcount != rows:
            raise ArchiveRefused(
                gettext("%(path)s has %(found)s rows of %(table)s in place of %(said)s.")
                % {"path": archive.path, "found": cursor.rowcount, "table": table.name, "said": rows}
            )
        for column, (last, is_called) in table.sequences.items():
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(quote_ident(%s), %s), %s, %s)",
                [table.name, column, last, is_called],
            )
    _look_at_constraints(cursor)
    _seal(cursor, "ENABLE")


def _seal(cursor: CursorWrapper, verb: str) -> None:
    """Rows that are loaded are in the chain that is loaded too; one that is not must not get there now."""
    cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'recognition_seal'")
    for (table,) in cursor.fetchall():
        cursor.execute(sql.SQL("ALTER TABLE {} {} TRIGGER recognition_seal").format(sql.SQL(table), sql.SQL(verb)))


def _erase_again(erased: Sequence[Erasure]) -> int:
    by_kind: dict[str, Callable[[uuid.UUID], bool]] = {"person": _erase_person, "sample": _erase_sample}
    return sum(by_kind[entry.kind](entry.uid) for entry in erased)


def _erase_person(uid: uuid.UUID) -> bool:
    person = Person.objects.filter(uid=uid).first()
    if person is not None:
        erasure.repeat(person=person, now=timezone.now())
    return person is not None


def _erase_sample(uid: uuid.UUID) -> bool:
    sample = FaceSample.objects.filter(uid=uid).first()
    if sample is not None:
        people.delete_sample_again(sample=sample, actor=None)
    return sample is not None
