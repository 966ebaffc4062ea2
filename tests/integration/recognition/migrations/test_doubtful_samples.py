"""Samples from before there were doubts are in none, and stay as they were."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from recognition.models import DistinctPair, FaceSample
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0008_waiting_photo"


def fill(old: Any) -> None:
    person = old.get_model("recognition", "Person").objects.create(name="Ada")
    for number, status in enumerate(("active", "set_aside")):
        old.get_model("recognition", "FaceSample").objects.create(
            person=person, status=status, source="upload", quality={}, image_sha256=str(number)
        )


def statuses() -> list[tuple[str, list[object]]]:
    return list(FaceSample.objects.order_by("image_sha256").values_list("status", "doubts"))


def test_samples_stay_forwards_and_backwards(before: Any) -> None:
    fill(before)
    migrate(None)
    assert statuses() == [("active", []), ("set_aside", [])]
    old = migrate(BEFORE)
    assert old.get_model("recognition", "FaceSample").objects.count() == 2


def test_roles_that_are_there_get_the_permissions(before: Any) -> None:
    Group.objects.get_or_create(name="auditor")
    migrate(None)
    assert Group.objects.get(name="auditor").permissions.filter(codename="view_distinctpair").exists()
    assert not DistinctPair.objects.exists()
