"""Keeps what staff did after a decision; the decision itself is never changed."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from recognition.models import AuditAction, EventOverride, RecognitionEvent
from recognition.services import actions, audit

OPENS_WITHIN = dt.timedelta(minutes=2)
"""Somebody who was refused longer ago stands before the door no more."""


class OverrideRefused(Exception):
    """The override cannot be made; the text is for the person who wanted it."""


def can_open_door(*, event: RecognitionEvent, now: dt.datetime) -> bool:
    """Whether an override of that event may open the door: there is a webhook, and the event is recent."""
    checkpoint = event.checkpoint
    has_door = checkpoint is not None and checkpoint.is_active and bool(checkpoint.action_url)
    return has_door and now - event.decided_at < OPENS_WITHIN


@transaction.atomic
def override(
    *,
    event: RecognitionEvent,
    outcome: EventOverride.Outcome,
    reason: str,
    actor: User,
    opens_door: bool,
    now: dt.datetime,
) -> EventOverride:
    """Stores what was done instead of the decision, and opens the door where that is asked for.

    Args:
        event: whose decision was overridden; stays as it was.
        outcome: what was done.
        reason: why; must not be empty.
        actor: who did it.
        opens_door: whether the checkpoint's webhook is called.
        now: with a time zone.

    Raises:
        OverrideRefused: without a reason, when the door may not be opened for it, or when somebody has
            overridden the event already.
    """
    if not reason.strip():
        raise OverrideRefused(gettext("Give a reason: it is what an auditor reads."))
    if opens_door and outcome != EventOverride.Outcome.ADMITTED:
        raise OverrideRefused(gettext("The door is opened only for somebody who is let in."))
    if opens_door and not can_open_door(event=event, now=now):
        raise OverrideRefused(
            gettext(
                "The door cannot be opened from here: the checkpoint has no webhook, or the event is older than "
                "two minutes."
            )
        )
    # The constraint behind it lets one of several at once through; the others find its row.
    row, is_new = EventOverride.objects.get_or_create(
        event=event, is_repeat=False, defaults={"outcome": outcome, "reason": reason.strip(), "by": actor}
    )
    if not is_new:
        raise OverrideRefused(
            gettext(
                "Somebody has overridden this decision already: what you did is not kept, and the door was not called "
                "for it."
            )
        )
    if opens_door and event.checkpoint is not None:
        actions.queue(event=event, checkpoint=event.checkpoint, now=now, override=row)
    audit.record(
        action=AuditAction.EVENT_OVERRIDDEN,
        actor=actor,
        subject=event,
        details={"override": row.pk, "outcome": str(outcome), "opens_door": opens_door},
    )
    return row
