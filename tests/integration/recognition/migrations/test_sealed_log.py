"""What was stored before the sealed log came enters it, and stays provable through erasures that came before."""

from __future__ import annotations

from typing import Any

import pytest

from recognition.models import EventCrop, RecognitionEvent, SealedRow
from recognition.sealing.chain import Fault
from recognition.services import sealed_log
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate, stored_event

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0018_thresholds"


def fill(old: Any) -> None:
    """An event of somebody, with claim, picture and override, and an audit entry of after it."""
    ada = old.get_model("recognition", "Person").objects.create(name="Ada")
    event = stored_event(
        old,
        person=ada,
        best_person=ada,
        claimed_id="ada-1",
        similarity=0.7312,
        votes=[{"decision": "accept", "similarity": 0.7312}],
    )
    old.get_model("recognition", "EventCrop").objects.create(event=event, jpeg=b"a crop")
    old.get_model("recognition", "EventOverride").objects.create(event=event, outcome="refused", reason="wrong card")
    old.get_model("recognition", "Verdict").objects.create(event=event, code="false_match", at=fakes.NOW)
    old.get_model("recognition", "AuditEntry").objects.create(
        action="person.enrolled", subject="person:1", details={"external_id": 1.5e3}
    )


def test_an_empty_database_goes_forwards_and_backwards(before: Any) -> None:
    migrate(None)
    migrate(BEFORE)
    migrate(None)
    assert not SealedRow.objects.exists()
    assert sealed_log.verify().is_whole


def test_what_was_there_enters_in_the_order_of_time(before: Any) -> None:
    fill(before)
    migrate(None)
    kinds = list(SealedRow.objects.values_list("kind", flat=True))
    assert kinds == ["event", "claim", "crop", "verdict", "override", "audit"]
    assert sealed_log.verify().is_whole


def test_what_comes_then_follows_it_and_what_changes_is_found(before: Any) -> None:
    fill(before)
    migrate(None)
    old = RecognitionEvent.objects.get()
    fakes.event()
    assert sealed_log.verify().is_whole
    EventCrop.objects.filter(event=old).delete()
    broken = sealed_log.verify().first_broken
    assert broken is not None
    assert (broken.fault, broken.kind, broken.row_id) == (Fault.CONTENT_GONE, "crop", old.pk)


def test_who_is_erased_then_leaves_it_whole(before: Any) -> None:
    fill(before)
    migrate(None)
    person = RecognitionEvent.objects.get().person
    assert person is not None
    fakes.erase(person)
    assert sealed_log.verify().is_whole
