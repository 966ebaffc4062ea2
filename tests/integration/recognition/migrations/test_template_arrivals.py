"""Templates from before stay and are found; the indexes that were searched through go."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from recognition.selectors import gallery, packs
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate, stored_person

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0027_verdict_code"


def test_templates_stay_and_are_found(before: Any, settings: Settings) -> None:
    stored_person(before)
    pack = before.get_model("recognition", "ModelPack").objects.get()
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE INDEX facetemplate_hnsw_pack_{pack.pk} ON recognition_facetemplate"
            f" USING hnsw ((embedding::vector({fakes.DIMENSION})) vector_cosine_ops) WHERE pack_id = {pack.pk}"
        )
    migrate(None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'facetemplate_hnsw%'")
        assert cursor.fetchone() == (0,)
    settings.FACEWEB_EXACT_SEARCH_MAX_ROWS = -1
    fakes.person("Bob", fakes.like_probe(0.3))
    assert {each.person_name for each in gallery.search(fakes.probe(), packs.active()).people} == {"Ada", "Bob"}
    old = migrate(BEFORE)
    assert old.get_model("recognition", "FaceTemplate").objects.count() == 2
