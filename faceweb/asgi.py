"""The ASGI application: HTTP to Django, websockets to the live sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

from faceweb import env

env.SETTINGS_MODULE.tell(env.SETTINGS_MODULE.read())
http_application = get_asgi_application()  # sets Django up, which the import below needs

from recognition.live.routing import websocket_urlpatterns  # noqa: E402

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def refuse(scope: Message, receive: Receive, send: Send) -> None:
    """Close a websocket at an address that has none; Channels would log a traceback for every stray request."""
    await send({"type": "websocket.close"})


application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, re_path("", refuse)])),  # type: ignore[arg-type]  # as Channels documents it
    }
)
