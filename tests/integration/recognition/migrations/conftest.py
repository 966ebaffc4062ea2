"""What tests of migrations share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def migrate(target: str | None) -> Any:
    """Brings the app to a migration (None: the newest), and gives its models as they were there."""
    executor = MigrationExecutor(connection)
    targets = [("recognition", target)] if target else executor.loader.graph.leaf_nodes("recognition")
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


@pytest.fixture
def before(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The models as of the module's `BEFORE`; afterwards the database is the newest again, whatever happened."""
    yield migrate(request.module.BEFORE)
    # Sequences go on: the vector index of a pack is named by its number, and stays.
    call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
    migrate(None)
