"""What jobs processes do by themselves every few minutes."""

from __future__ import annotations

import logging

from django.utils import timezone

from recognition.services import choosing, import_batches

logger = logging.getLogger(__name__)

SCHEDULE = "*/5 * * * *"
"""As cron has it. What is over is neither shown nor taken from its last second on; it is gone within five minutes."""

FORGET_EXPIRED = "faceweb.forget_expired"
"""What the queue calls it; also its lock there, so that one waits at most, however long another job takes."""


def forget_expired(timestamp: int) -> None:
    """Removes photos and uploads that waited too long, and lists of results that were kept long enough.

    Args:
        timestamp: when it was due, in seconds since 1970; what counts is the time when it is done.
    """
    now = timezone.now()
    photos, batches = choosing.forget_expired(now=now), import_batches.forget_expired(now=now)
    if photos or batches:
        logger.info("%d waiting photos and %d imports were over and are removed", photos, batches)
