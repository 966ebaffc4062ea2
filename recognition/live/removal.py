"""Tells the open page of a kiosk that it was removed."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.dispatch import receiver

from recognition.services import kiosks


def group_name(device_id: int) -> str:
    """Name of the channel group of a kiosk's open pages."""
    return f"kiosk-{device_id}"


@receiver(kiosks.removed, dispatch_uid="recognition.live.removal")
def close_sockets(device_id: int, **_kwargs: Any) -> None:
    """Has every socket of the kiosk close now, not at its next check."""
    async_to_sync(get_channel_layer().group_send)(group_name(device_id), {"type": "kiosk.removed"})
