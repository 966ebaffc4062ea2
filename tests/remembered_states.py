"""What the models are at each migration, worked out once for many walks through them.

For every operation Django makes the models that hang together anew, which is most of the time that a migration takes.
Operations and databases stay the real ones.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any
from unittest import mock

from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

_mutate_state = Migration.mutate_state
_known: dict[tuple[str, str], list[ProjectState]] = {}
"""By app and name of a migration that was run: before, between and after its operations."""


@contextlib.contextmanager
def used() -> Iterator[None]:
    """Has every migration run with what is remembered, and remember its own, for the duration of the block."""
    with mock.patch.multiple(
        Migration,
        apply=lambda migration, state, editor, **_: _apply(migration, state, editor),
        unapply=lambda migration, state, editor, **_: _unapply(migration, state, editor),
        mutate_state=lambda migration, state, preserve=True: _mutated(migration, state, preserve=preserve),
    ):
        yield


def forget_rows(apps: Any) -> None:
    """Another database has other numbers of content types.

    Args:
        apps: models as they were at a migration.
    """
    with contextlib.suppress(LookupError):
        apps.get_model("contenttypes", "ContentType").objects.clear_cache()


def _around(migration: Migration, before: ProjectState) -> list[ProjectState]:
    """One state more than there are operations."""
    key = migration.app_label, migration.name
    if key not in _known:
        states = [before.clone()]
        for operation in migration.operations:
            after = states[-1].clone()
            operation.state_forwards(migration.app_label, after)
            states.append(after)
        _known[key] = states
    for state in _known[key]:
        if "apps" in vars(state):
            forget_rows(state.apps)
    return _known[key]


def _apply(migration: Migration, before: ProjectState, editor: Any) -> ProjectState:
    states = _around(migration, before)
    for operation, (old, new) in zip(migration.operations, itertools.pairwise(states), strict=True):
        operation.database_forwards(migration.app_label, editor, old, new)
    return states[-1].clone()


def _unapply(migration: Migration, before: ProjectState, editor: Any) -> ProjectState:
    pairs = list(itertools.pairwise(_around(migration, before)))
    for operation, (old, new) in reversed(list(zip(migration.operations, pairs, strict=True))):
        operation.database_backwards(migration.app_label, editor, new, old)
    return before


def _mutated(migration: Migration, before: ProjectState, *, preserve: bool) -> ProjectState:
    states = _known.get((migration.app_label, migration.name))
    # Only what has made its models would make them anew.
    if preserve and states and "apps" in vars(before):
        return states[-1].clone()
    return _mutate_state(migration, before, preserve)
