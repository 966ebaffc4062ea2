"""Packs from before were brought along by nobody, and stay in use without thresholds."""

from __future__ import annotations

from typing import Any

import pytest

from recognition.models import ModelPack
from recognition.services import packs
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0029_unknowns"


def test_packs_stay_as_they_are_and_may_be_used(before: Any) -> None:
    before.get_model("recognition", "ModelPack").objects.create(
        name="old", digest=fakes.DIGEST, dimension=fakes.DIMENSION, licence="x", is_active=True
    )
    migrate(None)
    pack = ModelPack.objects.get()
    assert (pack.is_supplied, pack.licence_url, pack.decides, pack.may_be_used) == (False, "", False, True)
    packs.activate(pack=pack, actor=None)
    assert migrate(BEFORE).get_model("recognition", "ModelPack").objects.get().name == "old"
