"""What an installation of the version before has in its database is still there, and means the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from pytest_django import DjangoDbBlocker

from recognition.models import Checkpoint, ModelPack, RecognitionEvent, ThresholdPolicy
from recognition.selectors import packs
from recognition.services import policies
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate
from tests.other_databases import new_database, using

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0001_initial"
State = ThresholdPolicy.State
NOON = dt.datetime(2026, 5, 17, 12, tzinfo=dt.UTC)


def fill(old: Any) -> None:
    """Two packs with four policies, an event by each policy of the first, and somebody enrolled."""
    actor = old.get_model("auth", "User").objects.create(username="chief")
    person = old.get_model("recognition", "Person").objects.create(name="Ada")
    versions = iter(range(1, 5))
    for name, thresholds in (("in-use", (0.3, 0.4, 0.5)), ("other", (0.6,))):
        pack = old.get_model("recognition", "ModelPack").objects.create(
            name=name,
            digest=name,
            dimension=fakes.DIMENSION,
            licence="MIT",
            is_active=name == "in-use",
            operating_points=[{"fmr": 1e-5, "threshold": 0.4, "tmr": 0.9}],
        )
        for threshold in thresholds:
            policy = old.get_model("recognition", "ThresholdPolicy").objects.create(
                version=next(versions),
                pack=pack,
                is_active=threshold == thresholds[-1],
                identification_threshold=threshold,
                verification_threshold=threshold,
                reason=f"names from {threshold}",
                created_by=actor,
            )
            old.get_model("recognition", "RecognitionEvent").objects.create(
                decision="accept", person=person, policy=policy, pack=pack, started_at=NOON, decided_at=NOON
            )


@pytest.fixture(scope="module")
def brought_here(database_before: tuple[str, Any], django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database that was filled before and brought to today's version; to be copied only."""
    name, old = database_before
    with django_db_blocker.unblock(), new_database(name) as filled:
        with using(filled):
            fill(old)
            migrate(None)
        yield filled


@pytest.fixture
def migrated(transactional_db: None, brought_here: str) -> Iterator[None]:
    """What was stored before, in today's version and a database of the test's own."""
    with new_database(brought_here) as own, using(own):
        yield


def test_an_empty_database_goes_forwards_and_backwards(before: Any) -> None:
    migrate(None)
    migrate(BEFORE)
    migrate(None)
    assert not ThresholdPolicy.objects.exists()


def test_versions_in_force_stay_in_force_and_events_keep_theirs(migrated: None) -> None:
    assert dict(ThresholdPolicy.objects.values_list("version", "state")) == {
        1: State.FORMER,
        2: State.FORMER,
        3: State.ACTIVE,
        4: State.ACTIVE,
    }
    active = packs.active()
    assert active.policy is not None
    assert (active.name, active.policy.version, active.policy.identification_threshold) == ("in-use", 3, 0.5)
    assert (active.policy.requires_pin, active.policy.attempts_before_delay) == (False, 5)
    decided_by = RecognitionEvent.objects.order_by("pk").values_list("policy__version", "kind", "checkpoint")
    assert list(decided_by) == [(version, "identification", None) for version in range(1, 5)]
    assert {event.person.name for event in RecognitionEvent.objects.all() if event.person} == {"Ada"}


def test_each_former_version_was_in_force_until_the_next_of_its_pack(migrated: None) -> None:
    first, second, third, other = ThresholdPolicy.objects.order_by("version")
    assert (first.retired_at, second.retired_at) == (second.created_at, third.created_at)
    assert (third.retired_at, other.retired_at) == (None, None)
    for policy in (first, second, third, other):
        assert (policy.activated_at, policy.decided_at) == (policy.created_at, policy.created_at)
        assert policy.decided_by == policy.created_by


def test_the_next_version_is_made_as_before(migrated: None) -> None:
    pack = ModelPack.objects.get(is_active=True)
    made = policies.create_version(pack=pack, values={"margin": 0.2}, reason="a test", actor=None)
    assert (made.version, made.identification_threshold) == (5, 0.5)


def test_roles_come_with_it_and_go_with_it(before: Any) -> None:
    roles = {"operator", "enroller", "auditor", "administrator"}
    assert not Group.objects.filter(name__in=roles).exists()
    migrate(None)
    assert set(Group.objects.filter(name__in=roles).values_list("name", flat=True)) == roles


def test_backwards_the_sites_version_in_force_stays_and_no_other(migrated: None) -> None:
    pack = ModelPack.objects.get(is_active=True)
    door = Checkpoint.objects.create(name="Main door", slug="main-door")
    policies.create_version(pack=pack, values={}, reason="a test", actor=None, checkpoint=door)
    policies.create_version(pack=pack, values={"margin": 0.2}, reason="a test", actor=None)
    policies.propose(pack=pack, values={}, reason="a test", actor=fakes.user())
    old = migrate(BEFORE)
    versions = old.get_model("recognition", "ThresholdPolicy").objects.order_by("version")
    assert list(versions.values_list("version", "is_active")) == [
        (1, False),
        (2, False),
        (3, False),
        (4, True),
        (5, False),
        (6, True),
        (7, False),
    ]
    migrate(None)
    assert packs.active().policy_id == ThresholdPolicy.objects.get(version=6).pk
