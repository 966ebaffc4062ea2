"""Events of before can be judged, and going back takes verdicts and draws away."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from recognition.decision.reviews import ReviewVerdict
from recognition.models import RecognitionEvent, Verdict
from recognition.services import reviews
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate, stored_event

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0016_legal_basis"


def test_an_event_of_before_is_judged_and_stays_without_its_verdict(before: Any) -> None:
    Group.objects.get_or_create(name="auditor")
    stored_event(before)
    migrate(None)
    event = RecognitionEvent.objects.get()
    reviews.give(event=event, code=ReviewVerdict.TRUE_MATCH, note="", actor=fakes.in_role("auditor"), now=fakes.NOW)
    assert Verdict.objects.get().by.has_perm("recognition.add_verdict")  # type: ignore[union-attr]
    old = migrate(BEFORE)
    assert old.get_model("recognition", "RecognitionEvent").objects.get().pk == event.pk
    migrate(None)
    assert not Verdict.objects.exists()
