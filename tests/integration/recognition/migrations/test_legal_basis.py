"""People and events from before there were legal bases stay, and the roles get the permissions."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError

from recognition.models import LegalBasis, RecognitionEvent
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0015_pack_switch"


def test_people_and_events_stay_forwards_and_backwards(before: Any) -> None:
    before.get_model("recognition", "Person").objects.create(name="Ada", external_id="7")
    migrate(None)
    assert not LegalBasis.objects.exists()
    fakes.event(claimed_id="7")
    RecognitionEvent.objects.update(claimed_id="")
    fakes.event(claimed_id="8")
    old = migrate(BEFORE)
    assert old.get_model("recognition", "Person").objects.get().external_id == "7"
    events = old.get_model("recognition", "RecognitionEvent").objects
    with pytest.raises(IntegrityError, match="never changes"):
        events.update(claimed_id="")
    assert list(events.order_by("pk").values_list("claimed_id", flat=True)) == ["", "8"]


@pytest.mark.parametrize(
    ("role", "codename"),
    [
        ("enroller", "add_legalbasis"),
        ("enroller", "withdraw_legalbasis"),
        ("auditor", "view_erasurecertificate"),
        ("administrator", "lift_legalhold"),
    ],
)
def test_the_roles_that_are_there_get_the_permissions(before: Any, role: str, codename: str) -> None:
    Group.objects.get_or_create(name=role)
    migrate(None)
    assert Group.objects.get(name=role).permissions.filter(codename=codename).exists()
