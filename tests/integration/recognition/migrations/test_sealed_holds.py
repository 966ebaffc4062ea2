"""Holds that were placed before their reasons were sealed enter the chain."""

from __future__ import annotations

from typing import Any

import pytest

from recognition.models import EventHold, LegalHold, RecognitionEvent, SealedRow
from recognition.services import legal, sealed_log
from tests.integration.recognition.migrations.conftest import migrate, stored_event
from tests.integration.recognition.migrations.test_sealed_log import fill

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0023_retention_removed_until"


def test_an_empty_database_goes_forwards_and_backwards(before: Any) -> None:
    migrate(None)
    stored_event(migrate(BEFORE))
    migrate(None)
    assert sealed_log.verify().is_whole


def test_their_reasons_enter_and_those_of_later_ones_follow(before: Any) -> None:
    fill(before)
    person, event = before.get_model("recognition", "Person"), before.get_model("recognition", "RecognitionEvent")
    before.get_model("recognition", "LegalHold").objects.create(person=person.objects.get(), reason="a lawsuit")
    before.get_model("recognition", "EventHold").objects.create(event=event.objects.get(), reason="a dispute")
    migrate(None)
    assert list(SealedRow.objects.values_list("kind", flat=True))[-2:] == ["hold", "event_hold"]
    legal.place_hold(person=LegalHold.objects.get().person, reason="another", actor=None)
    assert sealed_log.verify().is_whole
    EventHold.objects.filter(event=RecognitionEvent.objects.get()).update(reason="none")
    assert not sealed_log.verify().is_whole
