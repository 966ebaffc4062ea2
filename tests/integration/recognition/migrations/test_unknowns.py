"""Faces that were seen before are grouped after, and those who enrol may decide on them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from recognition.models import UnknownFace
from recognition.selectors import packs
from recognition.selectors import unknowns as read
from recognition.services import unknowns
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate, stored_event

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0028_template_arrivals"


def test_events_of_before_are_grouped_and_stay_when_it_goes_back(before: Any) -> None:
    for name in ("enroller", "auditor"):
        Group.objects.get_or_create(name=name)
    event = stored_event(before, decision="reject_no_match", quality=fakes.quality().as_json())
    before.get_model("recognition", "EventCrop").objects.create(event=event, jpeg=b"a crop")
    migrate(None)
    pack = packs.active()
    assert list(read.to_embed(pack.id).values_list("pk", flat=True)) == [event.pk]
    unknowns.store_vectors(pack=pack, embeddings={event.pk: fakes.probe()})
    assert unknowns.group(pack=pack, threshold=0.5).made == 1
    assert UnknownFace.objects.get().cluster is not None
    may = [
        Group.objects.get(name=name).permissions.filter(codename="change_unknowncluster")
        for name in ("enroller", "auditor")
    ]
    assert [found.exists() for found in may] == [True, False]
    old = migrate(BEFORE)
    assert old.get_model("recognition", "EventCrop").objects.get().pk == event.pk
