"""Tells open live pages that somebody of the deny list may have been met."""

from __future__ import annotations

from typing import Any

GROUP = "alerts"
"""The channel group of pages whose users may see alerts."""


async def tell_everybody(channel_layer: Any) -> None:
    """Has every such page ask the database; the signal itself says nothing."""
    await channel_layer.group_send(GROUP, {"type": "alerts.changed"})
