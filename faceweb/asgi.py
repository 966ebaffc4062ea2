"""The ASGI application: HTTP to Django, websockets to the live sessions."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

from faceweb import env

env.SETTINGS_MODULE.tell(env.SETTINGS_MODULE.read())
http_application = get_asgi_application()  # sets Django up, which the import below needs

from recognition.live.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns)),
    }
)
