"""Tells the open sockets of a browser session that it logged out."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest


def group_name(session_key: str) -> str:
    """Name of the channel group that hears of a browser session's logout."""
    return f"session-{session_key}"


@receiver(user_logged_out, dispatch_uid="recognition.live.logout")
def close_sockets(request: HttpRequest | None, **_kwargs: Any) -> None:
    """Has every socket of the session close now, not at its next check."""
    session_key = getattr(getattr(request, "session", None), "session_key", None)
    if session_key:
        send = async_to_sync(get_channel_layer().group_send)
        send(group_name(session_key), {"type": "session.logged.out"})
