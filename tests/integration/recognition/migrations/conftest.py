"""What tests of migrations share."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def migrate(target: str | None) -> Any:
    """Brings the app to a migration (None: the newest), and gives its models as they were there."""
    executor = MigrationExecutor(connection)
    targets = [("recognition", target)] if target else executor.loader.graph.leaf_nodes("recognition")
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps
