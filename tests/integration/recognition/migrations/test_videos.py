"""Jobs of before stay one of a kind, videos may wait beside each other, and the roles may what they should."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0031_classifiers"
AFTER = "0032_videos"


def test_jobs_of_before_stay_and_roles_may_what_they_should(before: Any) -> None:
    for name in ("operator", "auditor", "enroller"):
        Group.objects.get_or_create(name=name)
    before.get_model("recognition", "Job").objects.create(kind="import")
    job = migrate(AFTER).get_model("recognition", "Job")
    with pytest.raises(IntegrityError, match="one_open_job_of_a_kind"), transaction.atomic():
        job.objects.create(kind="import")
    for _ in range(2):
        job.objects.create(kind="video")
    may = {
        name: sorted(Group.objects.get(name=name).permissions.values_list("codename", flat=True))
        for name in ("operator", "auditor", "enroller")
    }
    assert may == {
        "operator": ["add_video", "delete_video", "record_live", "view_video"],
        "auditor": ["download_video", "view_video"],
        "enroller": [],
    }
