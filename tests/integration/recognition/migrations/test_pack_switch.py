"""Packs, jobs and roles from before a pack could be tried out stay as they were."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from recognition.models import Job, ModelPack
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0014_guided_enrolment"


def test_packs_and_jobs_stay_forwards_and_backwards(before: Any) -> None:
    before.get_model("recognition", "Job").objects.create(kind="gallery_check")
    before.get_model("recognition", "ModelPack").objects.create(name="a pack", digest="0" * 64, dimension=8)
    migrate(None)
    assert Job.objects.get().kind == Job.Kind.GALLERY_CHECK
    assert ModelPack.objects.get().name == "a pack"
    old = migrate(BEFORE)
    assert old.get_model("recognition", "Job").objects.count() == 1
    assert old.get_model("recognition", "ModelPack").objects.count() == 1


def test_the_role_that_is_there_gets_the_permission(before: Any) -> None:
    Group.objects.get_or_create(name="administrator")
    migrate(None)
    assert Group.objects.get(name="administrator").permissions.filter(codename="switch_modelpack").exists()
