"""People and samples from before there were backups get a stable id each."""

from __future__ import annotations

from typing import Any

import pytest

from recognition.models import FaceSample, Person
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0012_imports"


def test_each_row_gets_an_id_of_its_own_forwards_and_stays_backwards(before: Any) -> None:
    people, samples = (before.get_model("recognition", name).objects for name in ("Person", "FaceSample"))
    for number in range(3):
        person = people.create(name=f"Ada {number}")
        samples.create(person=person, source="upload", quality={}, image_sha256=str(number))
    migrate(None)
    ids = {*Person.objects.values_list("uid", flat=True), *FaceSample.objects.values_list("uid", flat=True)}
    assert len(ids) == 6
    assert None not in ids
    old = migrate(BEFORE)
    assert old.get_model("recognition", "Person").objects.count() == 3
