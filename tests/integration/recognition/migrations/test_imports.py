"""Jobs from before there were imports stay as they were."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from recognition.models import Job
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0011_sample_event"


def test_jobs_stay_forwards_and_backwards(before: Any) -> None:
    before.get_model("recognition", "Job").objects.create(kind="gallery_check")
    migrate(None)
    assert Job.objects.get().kind == Job.Kind.GALLERY_CHECK
    assert migrate(BEFORE).get_model("recognition", "Job").objects.count() == 1


def test_roles_that_are_there_get_the_permissions(before: Any) -> None:
    Group.objects.get_or_create(name="enroller")
    migrate(None)
    assert Group.objects.get(name="enroller").permissions.filter(codename="add_importbatch").exists()
