"""What staff must see now."""

from __future__ import annotations

import dataclasses
import datetime as dt

from recognition.models import Alert, DenyListEntry, EventPlace, RecognitionEvent


@dataclasses.dataclass(frozen=True, slots=True)
class OpenAlerts:
    """Alerts that nobody has acknowledged.

    Args:
        count: how many.
        event_id: of the newest.
        place: where that was.
        at: when it was raised.
    """

    count: int
    event_id: int
    place: EventPlace
    at: dt.datetime


def unacknowledged() -> OpenAlerts | None:
    """The alerts that are open, told by the newest; None when there is none."""
    alerts = Alert.objects.filter(acknowledged_at=None)
    newest = alerts.select_related("event__checkpoint").order_by("-created_at", "-pk").first()
    if newest is None:
        return None
    return OpenAlerts(
        count=alerts.count(),
        event_id=newest.event_id,
        place=newest.event.place,
        at=newest.created_at,
    )


def deny_list_entry(event: RecognitionEvent) -> DenyListEntry | None:
    """Why somebody's coming raised an alert; None where they were taken off the list or erased since."""
    # Read with getattr: asking for a row that is not there raises an AttributeError.
    entries = (getattr(person, "deny_list_entry", None) for person in (event.best_person, event.runner_up))
    return next((entry for entry in entries if entry is not None), None)
