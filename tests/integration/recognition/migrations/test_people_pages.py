"""People from before there were merges stand for themselves, and their photos are kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from recognition.models import Person
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0009_doubtful_samples"


def test_people_stay_forwards_and_backwards(before: Any) -> None:
    before.get_model("recognition", "Person").objects.create(name="Ada", external_id="7")
    migrate(None)
    assert Person.objects.values_list("name", "merged_into", "keeps_photos").get() == ("Ada", None, True)
    old = migrate(BEFORE)
    assert old.get_model("recognition", "Person").objects.get().external_id == "7"


def test_the_role_that_is_there_gets_the_permission(before: Any) -> None:
    Group.objects.get_or_create(name="enroller")
    migrate(None)
    assert Group.objects.get(name="enroller").permissions.filter(codename="merge_person").exists()
