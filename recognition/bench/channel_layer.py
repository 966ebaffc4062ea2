"""Frames through channels_redis to `runworker`, as Channels offers it; only for the comparison with our lists.

Two programs with the settings of a throwaway server: `WEB` is `faceweb up` with another way to its workers, and
`WORKER` is `runworker` with a consumer that recognises.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from channels.consumer import AsyncConsumer
from channels.layers import get_channel_layer
from channels.routing import ChannelNameRouter

from faceweb import env

if TYPE_CHECKING:
    from recognition.services.frames import Backlog, FrameOutcome, FrameTask, SearchScope
    from recognition.worker.recogniser import Recogniser

WEB = (sys.executable, "-c", f"from {__name__} import serve; serve()")
WORKER = (sys.executable, "-c", f"from {__name__} import work; work()")

CHANNEL = "bench-recognition"

LOST_AFTER_S = 1.0
"""A frame without an answer for this long is sent again. Where several workers receive on one channel, each takes what
another has just received back into the channel, or out of it for good: some frames come twice, and some never."""


class ChannelWorkers:
    """The web side; see `services.frames.FrameWorker`. Everything happens on the event loop of the sessions."""

    def __init__(self) -> None:
        self._layer = get_channel_layer()
        self._reply_channel: str | None = None
        self._pending: dict[str, Callable[[FrameOutcome], None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, task: FrameTask, done: Callable[[FrameOutcome], None]) -> None:
        """Sends a frame."""
        number = uuid.uuid4().hex
        self._pending[number] = done
        self._start(self._send(number, task))

    def prepare(self, jpeg: bytes, scope: SearchScope) -> None:
        """Does nothing: any worker may take the frame."""

    def backlog(self) -> Backlog:
        """Nothing that anybody asks for here."""
        raise NotImplementedError

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, number: str, task: FrameTask) -> None:
        from recognition.services import wire
        from recognition.services.wire import Request

        if self._reply_channel is None:
            self._reply_channel = await self._layer.new_channel()
            self._start(self._receive(self._reply_channel))
        request = Request(number, "", time.time(), task.hints, task.jpeg, task.scope)
        message = {"type": "recognise", "reply_to": self._reply_channel, "request": wire.encode(request)}
        while number in self._pending:
            await self._layer.send(CHANNEL, message)
            await asyncio.sleep(LOST_AFTER_S)

    async def _receive(self, channel: str) -> None:
        from recognition.services import wire
        from recognition.services.frames import FrameOutcome

        while True:
            reply = wire.decode_reply((await self._layer.receive(channel))["reply"])
            done = self._pending.pop(reply.id, None)
            if done is not None and isinstance(reply.outcome, FrameOutcome):
                done(reply.outcome)


class RecognitionConsumer(AsyncConsumer):  # type: ignore[misc]  # channels is untyped
    """The worker's side: one frame after the other, in a thread, so that the connection stays alive."""

    recogniser: Recogniser
    thread = concurrent.futures.ThreadPoolExecutor(1)

    async def recognise(self, message: Mapping[str, Any]) -> None:
        """Answers one frame."""
        from recognition.services import wire
        from recognition.services.wire import Reply

        request = wire.decode_request(message["request"])
        answer = asyncio.get_running_loop().run_in_executor(self.thread, self.recogniser.answer, request)
        reply = wire.encode(Reply(request.id, await answer))
        await self.channel_layer.send(message["reply_to"], {"type": "recognised", "reply": reply})


def serve() -> None:
    """`faceweb up`, whose sessions reach their workers through the channel layer."""
    from django.core import management

    from faceweb import cli
    from recognition.bench import census

    census.answer(Path(sys.argv.pop()))

    execute = management.execute_from_command_line

    def with_channels(argv: list[str] | None = None) -> None:
        # Imported here, because it reads the settings, which the command line has chosen by now.
        from faceweb import server

        server._connect_workers = _connect
        execute(argv)

    management.execute_from_command_line = with_channels
    cli.main()


def _connect(stack: ExitStack) -> None:
    from recognition.live import frames

    frames.connect(ChannelWorkers())


def work() -> None:
    """`runworker` with the model pack loaded."""
    env.SETTINGS_MODULE.tell(env.SETTINGS_MODULE.read())
    from django.core.management import call_command

    from faceweb.asgi import application
    from recognition.worker import recogniser

    RecognitionConsumer.recogniser = recogniser.start()
    application.application_mapping["channel"] = ChannelNameRouter({CHANNEL: RecognitionConsumer.as_asgi()})
    sys.stdout.write("the channel layer's worker is ready\n")
    sys.stdout.flush()
    call_command("runworker", CHANNEL)
