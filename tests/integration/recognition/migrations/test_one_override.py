"""Events that were overridden twice keep both overrides, and no event is from now on."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from recognition.models import ActionDelivery, EventOverride
from recognition.services import overrides
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0003_roles"


def fill(old: Any) -> None:
    """Two events: one overridden three times, with a call of the door for the second; one overridden once."""
    pack = old.get_model("recognition", "ModelPack").objects.create(
        name="in-use", digest="in-use", dimension=fakes.DIMENSION, licence="MIT", is_active=True
    )
    policy = old.get_model("recognition", "ThresholdPolicy").objects.create(
        version=1, pack=pack, state="active", identification_threshold=0.5, verification_threshold=0.5, reason="r"
    )
    door = old.get_model("recognition", "Checkpoint").objects.create(name="Door", slug="door")
    for reasons in (("first", "second", "third"), ("only",)):
        event = old.get_model("recognition", "RecognitionEvent").objects.create(
            decision="reject_no_match", policy=policy, pack=pack, started_at=fakes.NOW, decided_at=fakes.NOW
        )
        for reason in reasons:
            override = old.get_model("recognition", "EventOverride").objects.create(
                event=event, outcome="admitted", reason=reason
            )
            if reason == "second":
                old.get_model("recognition", "ActionDelivery").objects.create(
                    checkpoint=door, event=event, override=override, expires_at=fakes.NOW
                )


def test_an_empty_database_goes_forwards_and_backwards(before: Any) -> None:
    migrate(None)
    migrate(BEFORE)
    migrate(None)
    assert not EventOverride.objects.exists()


def test_of_several_the_first_counts_and_none_is_lost(before: Any) -> None:
    fill(before)
    migrate(None)
    kept = dict(EventOverride.objects.values_list("reason", "is_repeat"))
    assert kept == {"first": False, "second": True, "third": True, "only": False}
    called_for = ActionDelivery.objects.get().override
    assert called_for is not None
    assert called_for.reason == "second"


def test_no_event_is_overridden_again(before: Any) -> None:
    fill(before)
    migrate(None)
    for row in EventOverride.objects.filter(is_repeat=False):
        with pytest.raises(IntegrityError, match="one_override_an_event"), transaction.atomic():
            EventOverride.objects.create(event=row.event, outcome="refused", reason="again")
        with pytest.raises(overrides.OverrideRefused, match="already"):
            overrides.override(
                event=row.event,
                outcome=EventOverride.Outcome.REFUSED,
                reason="again",
                actor=fakes.user(),
                opens_door=False,
                now=fakes.NOW,
            )


def test_backwards_all_of_them_stay(before: Any) -> None:
    fill(before)
    migrate(None)
    old = migrate(BEFORE)
    assert old.get_model("recognition", "EventOverride").objects.count() == 4
