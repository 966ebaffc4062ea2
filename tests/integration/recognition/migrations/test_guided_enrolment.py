"""Samples from before show no pose of a guided enrolment, and stay as they were."""

from __future__ import annotations

from typing import Any

import pytest

from recognition.models import FaceSample
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0013_backups"


def test_samples_stay_forwards_and_backwards(before: Any) -> None:
    person = before.get_model("recognition", "Person").objects.create(name="Ada")
    before.get_model("recognition", "FaceSample").objects.create(
        person=person, status="active", source="upload", quality={}, image_sha256="0"
    )
    migrate(None)
    assert list(FaceSample.objects.values_list("source", "pose")) == [("upload", "")]
    FaceSample.objects.create(person_id=person.pk, source="guided", pose="left", quality={}, image_sha256="1")
    old = migrate(BEFORE)
    assert old.get_model("recognition", "FaceSample").objects.count() == 2
