"""Notes that staff have seen an alert; `services.events` raises them."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction

from recognition.models import Alert, AuditAction
from recognition.services import audit


@transaction.atomic
def acknowledge(*, alert: Alert, actor: User, now: dt.datetime) -> None:
    """Notes who saw an alert first; a second time changes nothing.

    Args:
        alert: what was seen.
        actor: who saw it.
        now: with a time zone.
    """
    unseen = Alert.objects.filter(pk=alert.pk, acknowledged_at=None)
    if unseen.update(acknowledged_at=now, acknowledged_by=actor):
        audit.record(
            action=AuditAction.ALERT_ACKNOWLEDGED, actor=actor, subject=alert, details={"event": alert.event_id}
        )
