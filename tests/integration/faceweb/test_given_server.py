"""A database server of the operator's own, chosen with `DATABASE_URL`: shared by many, so changed with care."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from faceweb import env
from tests.processes import CommandLine

NAME = "faceweb_given"


@pytest.fixture
def given_server(command_line: CommandLine) -> Iterator[CommandLine]:
    """An empty database on the tests' server, and a command line that is told to use it."""
    server = env.DATABASE_URL.read()
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(NAME))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
        command_line.variables["DATABASE_URL"] = server.rpartition("/")[0] + f"/{NAME}"
        yield command_line
        command_line.close()
        connection.execute(drop)


def test_a_command_tells_that_the_schema_is_behind_and_leaves_it(given_server: CommandLine) -> None:
    for _ in range(2):
        status, output = given_server.run("changepassword", "nobody-of-that-name")
        assert status != 0
        assert "migrations behind this version: run `faceweb migrate`" in output
    assert given_server.state is not None
    assert not (given_server.state / "postgres").exists()


def test_two_web_hosts_that_start_at_once_share_one_schema_and_one_admin(
    given_server: CommandLine, state_dir: Path
) -> None:
    other_host = {"DATABASE_URL": given_server.variables["DATABASE_URL"]}
    with CommandLine(state_dir / "other", variables=other_host) as other:
        processes = [host.start("up", "--port", "0") for host in (given_server, other)]
        for process in processes:
            process.wait_for("faceweb is up:")
        prepared = [process for process in processes if "Preparing the database" in process.output]
        first = [process for process in processes if "First run: log in as admin" in process.output]
        assert len(first) == 1
        assert prepared
