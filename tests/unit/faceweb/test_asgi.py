from __future__ import annotations

import pytest
from channels.testing import WebsocketCommunicator

from faceweb.asgi import application


@pytest.mark.django_db(transaction=True)
async def test_a_websocket_at_an_unknown_address_is_refused_without_an_error() -> None:
    communicator = WebsocketCommunicator(application, "/ws/none/")
    connected, _ = await communicator.connect()
    assert not connected
    await communicator.wait()
