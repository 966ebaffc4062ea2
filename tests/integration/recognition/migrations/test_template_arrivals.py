"""Templates from before stay and are found; the indexes that were searched through go."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from recognition.selectors import gallery, packs
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0027_verdict_code"


def test_templates_stay_and_are_found(before: Any, settings: Settings) -> None:
    models = {name: before.get_model("recognition", name) for name in ("Person", "FaceSample", "FaceTemplate")}
    pack = before.get_model("recognition", "ModelPack").objects.create(
        name="old", digest=fakes.DIGEST, dimension=fakes.DIMENSION, licence="x", is_active=True
    )
    person = models["Person"].objects.create(name="Ada")
    sample = models["FaceSample"].objects.create(
        person=person, status="active", source="upload", quality={}, image_sha256="0"
    )
    models["FaceTemplate"].objects.create(sample=sample, pack=pack, embedding=fakes.probe().vector)
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
