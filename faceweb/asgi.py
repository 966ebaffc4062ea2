"""The ASGI application: HTTP to Django, websockets to the live sessions."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django import db
from django.core.asgi import get_asgi_application
from django.urls import re_path

from faceweb import env

env.SETTINGS_MODULE.tell(env.SETTINGS_MODULE.read())
http_application = get_asgi_application()  # sets Django up, which the import below needs

from recognition.live.messages import CloseCode  # noqa: E402
from recognition.live.routing import websocket_urlpatterns  # noqa: E402

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def refuse(scope: Message, receive: Receive, send: Send) -> None:
    """Close a websocket at an address that has none; Channels would log a traceback for every stray request."""
    await send({"type": "websocket.close"})


_pages = AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, re_path("", refuse)]))  # type: ignore[arg-type]  # as Channels documents it


async def websocket(scope: Message, receive: Receive, send: Send) -> None:
    """Let a page in; while nobody can say whose it is, tell it so in a code that it understands."""
    try:
        await _pages(scope, receive, send)
    except (db.OperationalError, db.InterfaceError):
        # Of the session's look-up: what comes after it, the page's own consumer tells. A browser shows a page only
        # the close codes of sockets that were accepted.
        logger.error("a page cannot be opened: the database does not answer")
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": CloseCode.DATABASE_UNAVAILABLE.value})


application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": websocket,
    }
)
