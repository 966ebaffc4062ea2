"""Pages while the database is away, slow or full: they say so, nobody is accepted, and they go on by themselves."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from channels.db import database_sync_to_async
from django.db import connection

from recognition.live import camera_socket
from recognition.models import Checkpoint, Person, RecognitionEvent
from recognition.services import deadlines
from recognition.services.frames import FrameOutcome, FrameStatus
from tests import fakes, other_databases
from tests.integration.recognition.live.conftest import Page, Worker, session_of
from tests.integration.recognition.live.test_checkpoint_consumer import Eyes, concludes, like

NewPage = Callable[..., Page]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("worker")]

AWAY = ("database_unavailable", 4504)


@contextlib.contextmanager
def away() -> Iterator[None]:
    """New connections are refused, as while PostgreSQL starts again."""
    port = connection.settings_dict["PORT"]
    connection.settings_dict["PORT"] = "1"
    try:
        yield
    finally:
        connection.settings_dict["PORT"] = port


@contextlib.asynccontextmanager
async def locked(table: str) -> AsyncIterator[None]:
    """Somebody else holds the table for the duration of the block."""
    with other_databases.second_connection() as other:
        other.execute("BEGIN")
        other.execute(f"LOCK TABLE {table}".encode())
        yield
        other.execute("ROLLBACK")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks again often, and is soon out of patience."""
    monkeypatch.setattr(camera_socket, "RECHECK_INTERVAL_S", 0.05)
    monkeypatch.setattr(camera_socket, "RECHECK_TIMEOUT_S", 0.3)
    monkeypatch.setattr(deadlines, "DECISION_S", 0.3)


async def test_a_page_that_is_opened_is_told_why_it_has_to_wait(page: NewPage) -> None:
    with away():
        assert (await (await page().opens()).is_closed())[1] == 4504
    await page().is_welcomed()


@pytest.mark.usefixtures("quick")
async def test_an_open_page_is_told_and_comes_back(page: NewPage) -> None:
    opened = page()
    await opened.is_welcomed()
    with away():
        assert await opened.is_closed() == AWAY
    await page().is_welcomed()


async def test_frames_that_nobody_could_search_are_told_at_once_and_so_is_the_end_of_it(
    page: NewPage, worker: Worker
) -> None:
    opened = page()
    await opened.is_welcomed()
    await opened.hears("notice")
    look, worker.answer = worker.answer, lambda task: FrameOutcome(FrameStatus.NO_DATABASE)
    for _ in range(2):
        await opened.shows()
    heard = [await opened.hears_any("result", "notice") for _ in range(3)]
    assert [message["code"] for message in heard if message["type"] == "notice"] == ["database_unavailable"]
    assert [message["status"] for message in heard if message["type"] == "result"] == ["failed"] * 2
    worker.answer = look
    await opened.shows()
    assert (await opened.hears("notice"))["code"] == "gallery_empty"


@pytest.mark.usefixtures("quick")
async def test_a_table_that_is_locked_accepts_nobody_and_holds_no_thread(
    page: NewPage, worker: Worker, ada: Person
) -> None:
    worker.looks_like = await database_sync_to_async(like)(ada)
    opened = page()
    await opened.is_welcomed()
    async with locked(RecognitionEvent._meta.db_table):
        for _ in range(2):
            await opened.shows()
            assert (await opened.hears("result"))["faces"][0]["state"] == "deciding"
        await opened.shows()
        assert (await opened.hears_any("result", "decision", "error"))["type"] == "error"
    assert await database_sync_to_async(RecognitionEvent.objects.count)() == 0


@pytest.mark.usefixtures("quick")
async def test_a_kiosk_that_cannot_store_accepts_nobody_and_goes_on(page: NewPage, worker: Worker, ada: Person) -> None:
    await database_sync_to_async(Checkpoint(slug="door", name="Door", mode="identify", admits="everyone").save)()
    user = await database_sync_to_async(lambda: session_of(fakes.user("use_checkpoint")))()
    Eyes(worker).like = await database_sync_to_async(like)(ada)

    async def outcome() -> str:
        opened = page(user, path="/ws/checkpoint/door/")
        await opened.opens()
        await opened.says(json.dumps({"type": "hello", "protocol": 1}))
        await opened.hears("welcome")
        return str((await asyncio.wait_for(concludes(opened), 20))["outcome"])

    async with locked(RecognitionEvent._meta.db_table):
        assert await outcome() == "error"
    assert await database_sync_to_async(RecognitionEvent.objects.count)() == 0
    assert await outcome() == "accepted"
