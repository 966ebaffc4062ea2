"""What tests of migrations share.

Each test has a database of its own, a copy of one that was brought to the version before once: going back and forth
through all migrations takes seconds, and a copy a tenth of one. What the models are at each migration is remembered.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from pytest_django import DjangoDbBlocker

from faceweb import schema
from tests import fakes, remembered_states
from tests.other_databases import new_database, using

OlderDatabase = Callable[[str], tuple[str, Any]]
"""Gives a database by its version, with its models."""


_apps: dict[str | None, Any] = {}


def migrate(target: str | None) -> Any:
    """Brings the app to a migration (None: the newest), and gives its models as they were there."""
    executor = MigrationExecutor(connection)
    targets = [("recognition", target)] if target else executor.loader.graph.leaf_nodes("recognition")
    with schema.without_collecting(), remembered_states.used():
        executor.migrate(targets)
        if target not in _apps:
            _apps[target] = executor.loader.project_state(targets).apps
    remembered_states.forget_rows(_apps[target])
    return _apps[target]


def stored_event(old: Any, **changes: Any) -> Any:
    """Stores an event as a version before did; today's models have columns that it had not.

    Args:
        old: the models of that version.
        changes: of an accept by a pack in use.
    """
    model = {name: old.get_model("recognition", name) for name in ("ModelPack", "ThresholdPolicy", "RecognitionEvent")}
    pack = model["ModelPack"].objects.create(
        name="in-use", digest="in-use", dimension=fakes.DIMENSION, licence="MIT", is_active=True
    )
    policy = model["ThresholdPolicy"].objects.create(
        version=1, pack=pack, state="active", identification_threshold=0.5, verification_threshold=0.5, reason="r"
    )
    fields = {"decision": "accept", "started_at": fakes.NOW, "decided_at": fakes.NOW, **changes}
    return model["RecognitionEvent"].objects.create(policy=policy, pack=pack, **fields)


def stored_person(old: Any) -> Any:
    """Stores Ada with a sample that a pack in use finds, as a version before did, with the policy in force.

    Args:
        old: the models of that version.
    """
    model = {name: old.get_model("recognition", name) for name in ("Person", "FaceSample", "FaceTemplate", "ModelPack")}
    pack = model["ModelPack"].objects.create(
        name="old",
        digest=fakes.DIGEST,
        dimension=fakes.DIMENSION,
        licence="x",
        is_active=True,
        operating_points=[{"fmr": 1e-5, "threshold": 0.5, "tmr": 0.9}],
    )
    old.get_model("recognition", "ThresholdPolicy").objects.create(
        version=1, pack=pack, state="active", identification_threshold=0.5, verification_threshold=0.4, reason="r"
    )
    person = model["Person"].objects.create(name="Ada")
    sample = model["FaceSample"].objects.create(
        person=person, status="active", source="upload", quality={}, image_sha256="0"
    )
    model["FaceTemplate"].objects.create(sample=sample, pack=pack, embedding=fakes.probe().vector)
    return person


@pytest.fixture(scope="session")
def newest(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database of today's version without rows, but for permissions; to be copied only."""
    with django_db_blocker.unblock(), new_database() as name:
        with using(name):
            with schema.without_collecting(), remembered_states.used():
                call_command("migrate", verbosity=0, interactive=False)
            call_command("flush", verbosity=0, interactive=False)
        yield name


@pytest.fixture(scope="session")
def older_database(newest: str) -> Iterator[OlderDatabase]:
    """Makes a database of a version once, from that of the next newer version that was made; to be copied only."""
    made: dict[str, tuple[str, Any]] = {}
    with contextlib.ExitStack() as stack:

        def database_of(version: str) -> tuple[str, Any]:
            if version not in made:
                newer = min((name for name in made if name > version), default=None)
                name = stack.enter_context(new_database(made[newer][0] if newer else newest))
                with using(name):
                    made[version] = name, migrate(version)
            return made[version]

        yield database_of


@pytest.fixture(scope="module")
def database_before(
    request: pytest.FixtureRequest, older_database: OlderDatabase, django_db_blocker: DjangoDbBlocker
) -> tuple[str, Any]:
    """A database of the module's `BEFORE`, to be copied only, and the models as they were there."""
    with django_db_blocker.unblock():
        return older_database(request.module.BEFORE)


@pytest.fixture
def before(transactional_db: None, database_before: tuple[str, Any]) -> Iterator[Any]:
    """The models as of the module's `BEFORE`, in a database of the test's own."""
    name, old = database_before
    with new_database(name) as own, using(own):
        yield old


@pytest.fixture
def today(transactional_db: None, newest: str) -> Iterator[None]:
    """A database of today's version, of the test's own."""
    with new_database(newest) as own, using(own):
        yield
