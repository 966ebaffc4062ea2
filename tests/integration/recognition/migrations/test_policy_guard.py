"""What the version before stored is guarded from now on, and still goes its way."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection

from recognition.models import ModelPack, ThresholdPolicy
from recognition.services import policies
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0004_one_override"
NOON = dt.datetime(2026, 5, 17, 12, tzinfo=dt.UTC)
TRIGGERS = "SELECT count(*) FROM pg_trigger WHERE tgname ~ '^recognition_thresholdpolicy_(steps|names|site)$'"
State = ThresholdPolicy.State


@pytest.fixture
def filled(before: Any) -> Any:
    """What the version before stored: nobody is named for what was put in force at once, and one has no end."""
    old = before
    chief = old.get_model("auth", "User").objects.create(username="chief")
    pack = old.get_model("recognition", "ModelPack").objects.create(
        name="in-use",
        digest="in-use",
        dimension=fakes.DIMENSION,
        licence="MIT",
        is_active=True,
        operating_points=[{"fmr": 1e-5, "threshold": 0.4, "tmr": 0.9}],
    )
    door = old.get_model("recognition", "Checkpoint").objects.create(name="Main door", slug="main-door")
    for version, (state, times) in enumerate(
        (
            (State.FORMER, {"activated_at": NOON}),
            (State.ACTIVE, {"activated_at": NOON}),
            (State.PROPOSED, {}),
            (State.APPROVED, {"effective_from": NOON, "decided_at": NOON, "decided_by": chief}),
            (State.ACTIVE, {"activated_at": NOON, "checkpoint": door}),
        ),
        start=1,
    ):
        old.get_model("recognition", "ThresholdPolicy").objects.create(
            version=version,
            pack=pack,
            state=state,
            identification_threshold=0.5,
            verification_threshold=0.4,
            reason="before",
            created_by=chief,
            **times,
        )
    return old


def triggers() -> int:
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS)
        return int(cursor.fetchone()[0])


def states() -> list[str]:
    return list(ThresholdPolicy.objects.order_by("version").values_list("state", flat=True))


def version(number: int) -> ThresholdPolicy:
    return ThresholdPolicy.objects.get(version=number)


def test_an_empty_database_goes_forwards_and_backwards(today: None) -> None:
    assert triggers() == 3
    migrate(BEFORE)
    assert triggers() == 0
    migrate(None)
    assert triggers() == 3


def test_every_version_of_before_still_goes_its_way(filled: Any) -> None:
    migrate(None)
    policies.activate_due(now=NOON)
    assert states() == [State.FORMER, State.FORMER, State.PROPOSED, State.ACTIVE, State.ACTIVE]
    policies.approve(policy=version(3), actor=fakes.user(), now=NOON)
    policies.follow_site(policy=version(5), actor=fakes.user(), now=NOON)
    policies.return_to(policy=version(1), actor=fakes.user(), now=NOON)
    assert states() == [State.FORMER] * 5 + [State.ACTIVE]
    User.objects.get(username="chief").delete()
    assert not ThresholdPolicy.objects.filter(created_by__isnull=False, version__lte=5).exists()


def test_a_version_of_before_is_guarded(filled: Any) -> None:
    migrate(None)
    for change in (
        {"created_by": None},
        {"retired_at": NOON + dt.timedelta(days=1)},
    ):
        with pytest.raises(IntegrityError, match="who proposed and decided it"):
            ThresholdPolicy.objects.filter(version=1).update(**change)
    with pytest.raises(IntegrityError, match="goes out of force only for the next one"):
        ThresholdPolicy.objects.filter(version=2).update(state=State.FORMER, retired_at=NOON)


def test_backwards_and_forwards_again_everything_is_as_it_was(filled: Any) -> None:
    migrate(None)
    pack = ModelPack.objects.get()
    policies.create_version(pack=pack, values={"margin": 0.2}, reason="a test", actor=None)
    before = list(ThresholdPolicy.objects.order_by("version").values())
    migrate(BEFORE)
    migrate(None)
    assert list(ThresholdPolicy.objects.order_by("version").values()) == before
