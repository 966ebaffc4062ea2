"""A live page as the server sees it, on the real application, database and channel layer; only the worker is a fake."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from faceweb.asgi import application
from recognition.decision.matching import CandidateList
from recognition.live import frames
from recognition.live.messages import PROTOCOL_VERSION, CameraFrame
from recognition.models import Person
from recognition.selectors import access, packs
from recognition.selectors.packs import ActivePack
from recognition.services.frames import FrameOutcome, FrameTask
from tests import fakes

PATIENCE_S = 20.0  # generous: a loaded machine is no failure


class Socket(WebsocketCommunicator):  # type: ignore[misc]  # channels is untyped
    """Gives database connections back as the server does; Channels' own communicators keep them open for SQLite."""

    send_input = ApplicationCommunicator.send_input
    receive_output = ApplicationCommunicator.receive_output
    receive_nothing = ApplicationCommunicator.receive_nothing
    wait = ApplicationCommunicator.wait


class Page:
    """One websocket, from the browser's side."""

    def __init__(
        self,
        session_key: str | None,
        *,
        origin: str | None = "http://testserver",
        host: str = "testserver",
        path: str = "/ws/live/",
        kiosk: str | None = None,
    ) -> None:
        """A page of a browser session, of a kiosk with that token, or of both."""
        headers = [(b"host", host.encode())]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        cookies = {settings.SESSION_COOKIE_NAME: session_key, access.KIOSK_COOKIE: kiosk}
        sent = "; ".join(f"{name}={value}" for name, value in cookies.items() if value is not None)
        if sent:
            headers.append((b"cookie", sent.encode()))
        self._socket = Socket(application, path, headers=headers)
        self._sequence = 0
        self._left = False

    async def opens(self) -> Page:
        accepted, _ = await self._socket.connect(timeout=PATIENCE_S)
        assert accepted
        return self

    async def is_welcomed(self) -> dict[str, Any]:
        """Opens the socket and says hello."""
        await self.opens()
        await self.says(json.dumps({"type": "hello", "protocol": PROTOCOL_VERSION}))
        return await self.hears("welcome")

    async def says(self, message: str | bytes) -> None:
        kind = "text" if isinstance(message, str) else "bytes"
        await self._socket.send_input({"type": "websocket.receive", kind: message})  # type: ignore[no-untyped-call]

    async def shows(self, jpeg: bytes = b"a jpeg", link_us: int = 0) -> int:
        """Sends a camera frame; its number."""
        self._sequence += 1
        await self.says(CameraFrame(self._sequence, 1.0, link_us, jpeg).pack())
        return self._sequence

    async def hears(self, kind: str) -> dict[str, Any]:
        """The next message of that type; others before it are passed over."""
        return await self.hears_any(kind)

    async def hears_any(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of those types; others before it are passed over."""
        while True:
            message: dict[str, Any] = json.loads(await self._socket.receive_from(timeout=PATIENCE_S))
            if message["type"] in kinds:
                return message

    async def is_closed(self) -> tuple[str, int]:
        """Waits for the end: the error told before it, and the close code."""
        error = ""
        while True:
            output = await self._socket.receive_output(timeout=PATIENCE_S)  # type: ignore[no-untyped-call]
            if output["type"] == "websocket.close":
                return error, output["code"]
            message = json.loads(output["text"])
            if message["type"] == "error":
                error = message["code"]

    async def leaves(self) -> None:
        """Closes the page; returns when the server is done with it."""
        if not self._left:
            self._left = True
            await self._socket.disconnect(timeout=PATIENCE_S)


@pytest.fixture
def operator(transactional_db: None) -> User:
    return fakes.user("use_live")


@pytest.fixture
def ada(active: ActivePack) -> Person:
    return fakes.person("Ada Lovelace", fakes.probe())


@pytest.fixture
def active(transactional_db: None) -> ActivePack:
    fakes.activated_pack()
    return packs.active()


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    key = client.session.session_key
    assert key is not None
    return key


@pytest.fixture
def session_key(operator: User) -> str:
    return session_of(operator)


@pytest_asyncio.fixture
async def page(session_key: str) -> AsyncIterator[Callable[..., Page]]:
    """Makes pages, of the operator unless another session is named; all are closed after the test."""
    pages: list[Page] = []

    def new(session: str | None = session_key, **headers: Any) -> Page:
        pages.append(Page(session, **headers))
        return pages[-1]

    yield new
    for opened in pages:
        await opened.leaves()


class Worker(fakes.FakeFrameWorker):
    """Shows one face in every frame, which looks like `looks_like`."""

    def __init__(self, active: ActivePack) -> None:
        super().__init__(self._look)
        self.active = active
        self.looks_like: CandidateList | None = fakes.candidates()

    def _look(self, task: FrameTask) -> FrameOutcome:
        track = task.hints[0].track_id if task.hints else None
        shown = fakes.outcome(fakes.seen_face(self.looks_like, track_id=track), active=self.active)
        return dataclasses.replace(shown, everywhere=not task.scope.near)


@pytest.fixture
def worker(active: ActivePack, monkeypatch: pytest.MonkeyPatch) -> Worker:
    monkeypatch.setattr(frames, "_workers", [])
    worker = Worker(active)
    frames.connect(worker)
    return worker


@pytest.fixture
def broken_events_table(active: object) -> Iterator[None]:
    """A database that stores no event."""
    break_events()
    yield
    mend_events()


def break_events() -> None:
    """Has the database store no event, as one whose disk is full."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION out_of_space() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER out_of_space BEFORE INSERT ON recognition_recognitionevent "
            "FOR EACH ROW EXECUTE FUNCTION out_of_space()"
        )


def mend_events() -> None:
    """Has it store them again."""
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION out_of_space() CASCADE")
