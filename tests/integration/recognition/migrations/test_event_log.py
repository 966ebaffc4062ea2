"""Events of before are found by the new indexes, and going back leaves them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from recognition.models import RecognitionEvent
from recognition.selectors import event_log
from recognition.selectors.event_filters import EventFilter
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate, stored_event

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0019_sealed_log"


def test_events_of_before_are_found_and_stay(before: Any) -> None:
    Group.objects.get_or_create(name="auditor")
    reason = {"reason": "low_sharpness", "measured": 1.0, "required": 2.0}
    stored_event(before, decision="no_decision_quality", claimed_id="E-4711", reasons=[reason])
    migrate(None)
    auditor = fakes.in_role("auditor")
    assert auditor.has_perm("recognition.export_recognitionevent")
    for wanted in (EventFilter(reason="low_sharpness"), EventFilter(text="e-47")):
        assert event_log.page(wanted, user=auditor).events == (RecognitionEvent.objects.get(),)
    old = migrate(BEFORE)
    assert old.get_model("recognition", "RecognitionEvent").objects.get().claimed_id == "E-4711"
