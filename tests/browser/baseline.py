"""The database of a running installation, put back to what it was: another start would cost seconds of both cores."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from faceweb import embedded, postgres_process
from tests.processes import DEADLINE_S, POLL_INTERVAL_S

NOT_ROWS_OF_TESTS = ("django_migrations", "procrastinate_workers")
"""What belongs to the program and to its running processes."""


class Baseline:
    """Every row of an installation as it was first seen."""

    def __init__(self, state: Path) -> None:
        """Reads them; the installation has to be up."""
        self._socket = embedded.Place(state).socket()
        self._anchors = state / "anchors.jsonl"
        with self._connected() as connection:
            self._tables = [name for (name,) in connection.execute(TABLES, [list(NOT_ROWS_OF_TESTS)])]
            self._rows: Mapping[str, bytes] = {table: _read(connection, table) for table in self._tables}
            self._sequences = list(connection.execute(SEQUENCES))

    def restore(self) -> None:
        """Puts them back in one transaction, once no job runs."""
        with self._connected() as connection:
            _wait_until_no_job_runs(connection)
        with self._connected() as connection, connection.transaction():
            # Neither foreign keys nor the guards against changes of what was decided: it is as if nothing had happened.
            connection.execute("SET LOCAL session_replication_role = replica")
            for table in self._tables:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
                    copy.write(self._rows[table])
            for name, last_value in self._sequences:
                connection.execute("SELECT setval(%s, %s, %s)", [name, last_value or 1, last_value is not None])
        # They are of a sealed log that is not there any more.
        self._anchors.unlink(missing_ok=True)

    def _connected(self) -> psycopg.Connection[Any]:
        return postgres_process.connect(self._socket, postgres_process.DATABASE)


TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s) ORDER BY tablename"
SEQUENCES = "SELECT quote_ident(sequencename), last_value FROM pg_sequences WHERE schemaname = 'public'"


def _read(connection: psycopg.Connection[Any], table: str) -> bytes:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
        return b"".join(copy)


def _wait_until_no_job_runs(connection: psycopg.Connection[Any]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    open_jobs = "SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
    while connection.execute(open_jobs).fetchone() is not None:
        assert time.monotonic() < deadline, "a job that a test began does not end"
        time.sleep(POLL_INTERVAL_S)
