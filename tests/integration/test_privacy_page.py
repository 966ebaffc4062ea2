"""What `docs/howto/privacy.md` tells people to run does what it says."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.utils import timezone

from faceweb import state
from recognition.models import (
    ActionDelivery,
    Alert,
    Checkpoint,
    EventCrop,
    EventOverride,
    RecognitionEvent,
    ThresholdPolicy,
)
from tests import fakes

PAGE = state.PROJECT_DIR / "docs" / "howto" / "privacy.md"

pytestmark = pytest.mark.django_db


def event_with_everything(place: Checkpoint, *, decided_days_ago: int) -> RecognitionEvent:
    """An event with a crop, an alert, an override, and a webhook call of that override."""
    now = timezone.now()
    decided = now - dt.timedelta(days=decided_days_ago)
    policy = ThresholdPolicy.objects.get(state="active")
    event = RecognitionEvent.objects.create(
        checkpoint=place,
        decision="reject_not_allowed",
        policy=policy,
        pack=policy.pack,
        started_at=decided,
        decided_at=decided,
    )
    EventCrop.objects.create(event=event, jpeg=b"a crop")
    Alert.objects.create(event=event)
    override = EventOverride.objects.create(event=event, outcome=EventOverride.Outcome.ADMITTED, reason="a test")
    ActionDelivery.objects.create(checkpoint=place, event=event, override=override, expires_at=now)
    return event


def test_events_of_a_time_are_removed_with_all_that_hangs_on_them_and_later_ones_stay() -> None:
    fakes.activated_pack()
    door = fakes.checkpoint()
    event_with_everything(door, decided_days_ago=31)
    kept = event_with_everything(door, decided_days_ago=29)
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    exec(program, {})  # noqa: S102  (the page is ours)
    assert list(RecognitionEvent.objects.all()) == [kept]
    for dependent in (EventCrop, Alert, EventOverride, ActionDelivery):
        assert list(dependent.objects.values_list("event_id", flat=True)) == [kept.pk], dependent.__name__
