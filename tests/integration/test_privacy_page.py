"""What `docs/howto/privacy.md` tells people to run does what it says."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from django.utils import timezone

from faceweb import state
from recognition.models import (
    ActionDelivery,
    Alert,
    Checkpoint,
    ErasureReason,
    EventCrop,
    EventOverride,
    RecognitionEvent,
    ThresholdPolicy,
)
from recognition.services import erasure
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


def program(about: str) -> str:
    """The one program of the page that speaks of something."""
    programs = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (found,) = (each for each in programs if about in each)
    return str(found)


def test_events_of_a_time_are_removed_with_all_that_hangs_on_them_and_later_ones_stay() -> None:
    fakes.activated_pack()
    door = fakes.checkpoint()
    event_with_everything(door, decided_days_ago=31)
    kept = event_with_everything(door, decided_days_ago=29)
    exec(program("RecognitionEvent"), {})  # noqa: S102  (the page is ours)
    assert list(RecognitionEvent.objects.all()) == [kept]
    for dependent in (EventCrop, Alert, EventOverride, ActionDelivery):
        assert list(dependent.objects.values_list("event_id", flat=True)) == [kept.pk], dependent.__name__


def test_a_certificate_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = erasure.request(person=fakes.person("Ada"), reason=ErasureReason.REQUESTED, actor=None, now=fakes.NOW)
    assert asked.certificate is not None
    monkeypatch.chdir(tmp_path)
    *first, last = program("is_genuine").strip().splitlines()
    for reason, answer in (("requested", True), ("mistake", False)):
        handed_out = {**erasure.document(asked.certificate), "reason": reason}
        Path("erasure-1.json").write_text(json.dumps(handed_out))
        names: dict[str, object] = {}
        exec("\n".join(first), names)  # noqa: S102  (the page is ours)
        assert eval(last, names) is answer  # noqa: S307  (the page is ours)
