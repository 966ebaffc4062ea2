"""Addresses of the websockets."""

from __future__ import annotations

from django.urls import path

from recognition.live.checkpoint_consumer import CheckpointConsumer
from recognition.live.consumers import LiveConsumer

websocket_urlpatterns = [
    path("ws/live/", LiveConsumer.as_asgi()),
    path("ws/checkpoint/<slug:slug>/", CheckpointConsumer.as_asgi()),
]
