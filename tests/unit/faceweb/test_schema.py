from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from faceweb import schema


@pytest.fixture
def behind(transactional_db: None) -> None:
    """A database that has not seen the last migration of the sessions app."""
    call_command("migrate", "sessions", "zero", verbosity=0)


@pytest.mark.django_db
def test_a_database_that_is_up_to_date_is_left_alone_in_silence() -> None:
    said: list[str] = []
    schema.apply_pending_migrations(say=said.append)
    schema.tell_pending_migrations(say=said.append)
    assert said == []


@pytest.mark.usefixtures("behind")
def test_pending_migrations_are_told_then_applied() -> None:
    said: list[str] = []
    schema.tell_pending_migrations(say=said.append)
    assert said == ["The database is 1 migrations behind this version: run `faceweb migrate`."]
    schema.apply_pending_migrations(say=said.append)
    assert said[1:] == ["Preparing the database (1 migrations)..."]
    assert "django_session" in connection.introspection.table_names()
    assert schema.pending_migrations() == 0


@pytest.mark.django_db
def test_the_lock_is_let_go() -> None:
    with schema.alone():
        assert _advisory_locks() == 1
    assert _advisory_locks() == 0


def _advisory_locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        return int(cursor.fetchone()[0])
