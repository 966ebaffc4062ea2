"""The cameras of the benchmark: websocket clients that stream recordings as fast as the server's window allows."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Sequence
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from recognition.bench.recordings import FRAMES, PERSON_SECONDS
from recognition.bench.server import Server
from recognition.live.messages import PROTOCOL_VERSION, CameraFrame, CloseCode

ANSWER_TIMEOUT_S = 30.0
"""A server that has not accepted all clients and answered all frames this long after the end has failed."""


MOST_IN_FLIGHT = 2
"""One with a worker and one that waits. A third is for links of 10 ms and more; ours only seems so long while something
else has the machine, and then the third would be dropped and sent again as fast as the server answers."""


class StreamFailed(Exception):
    """A session ended, or its frames were not analysed."""


@dataclasses.dataclass(frozen=True, slots=True)
class SentFrame:
    """One frame that the server analysed.

    Args:
        recording: which one the frame is from.
        index: of the frame in it.
        embedded: faces that the server embedded in it.
        round_trip_ms: from sending it to its result.
        answered_s: when the result came, on the monotonic clock.
    """

    recording: int
    index: int
    embedded: int
    round_trip_ms: float
    answered_s: float


@dataclasses.dataclass(slots=True)
class Stream:
    """What one client saw.

    Args:
        analysed: the frames that were analysed, in the order of their results.
        dropped: frames that a newer one replaced.
        decisions: decisions that the server stored.
    """

    analysed: list[SentFrame] = dataclasses.field(default_factory=list)
    dropped: int = 0
    decisions: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Streamed:
    """What all clients of one run saw.

    Args:
        streams: one for each client.
        seconds: from the first frame's sending to the last result.
    """

    streams: tuple[Stream, ...]
    seconds: float


def stream(
    server: Server, cookie: str, recordings: Sequence[Sequence[bytes]], *, streams: int, seconds: float
) -> Streamed:
    """Streams for a while with several clients at once.

    All clients connect first, then all begin. Each shows the recordings in turn, five seconds each, and
    begins with another one at another moment of its five seconds.

    Args:
        server: where to.
        cookie: header of a user who may use the live page.
        recordings: JPEG frames of each person.
        streams: number of clients.
        seconds: for how long frames are sent; those in flight then are waited for.

    Raises:
        StreamFailed: when a session ends or a frame fails.
    """
    return asyncio.run(_stream(server, cookie, recordings, streams, seconds))


async def _stream(
    server: Server, cookie: str, recordings: Sequence[Sequence[bytes]], streams: int, seconds: float
) -> Streamed:
    ready = asyncio.Barrier(streams + 1)
    cameras = [_Camera(recordings, number, number / streams * PERSON_SECONDS) for number in range(streams)]
    try:
        async with asyncio.timeout(seconds + ANSWER_TIMEOUT_S), asyncio.TaskGroup() as group:
            for camera in cameras:
                group.create_task(camera.run(server, cookie, ready, seconds))
            await ready.wait()
            begin = time.monotonic()
    except* (OSError, websockets.WebSocketException, TimeoutError, StreamFailed) as errors:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise StreamFailed(f"A stream ended: {type(first).__name__} {first}") from first
    return Streamed(tuple(camera.seen for camera in cameras), time.monotonic() - begin)


def _window(message: dict[str, Any]) -> int:
    """How many frames may be in flight from this message on."""
    return min(int(message["window"]), MOST_IN_FLIGHT)


class _Camera:
    """One client."""

    def __init__(self, recordings: Sequence[Sequence[bytes]], first: int, ahead_s: float) -> None:
        self.seen = Stream()
        self._recordings = recordings
        self._first = first
        self._ahead_s = ahead_s
        self._sequence = 0
        self._link_us = 0
        self._in_flight: dict[int, tuple[int, int, float]] = {}

    async def run(self, server: Server, cookie: str, ready: asyncio.Barrier, seconds: float) -> None:
        async with connect(
            server.socket_address,
            origin=websockets.Origin(server.address),
            additional_headers={"Cookie": cookie},
            compression=None,
            # A proxy of the environment is not between us and our own server.
            proxy=None,
        ) as socket:
            await socket.send(json.dumps({"type": "hello", "protocol": PROTOCOL_VERSION}))
            welcome = await self._next(socket)
            if welcome["type"] != "welcome":
                raise StreamFailed(f"expected a welcome, got {welcome}")
            window = _window(welcome)
            await ready.wait()
            begin = time.monotonic()
            while (now := time.monotonic() - begin) < seconds or self._in_flight:
                if now < seconds and len(self._in_flight) < window:
                    await socket.send(self._frame(now))
                    continue
                message = await self._next(socket)
                if message["type"] == "result":
                    window = _window(message)
                    self._take(message)
                elif message["type"] == "decision":
                    self.seen.decisions += 1

    async def _next(self, socket: ClientConnection) -> dict[str, Any]:
        try:
            message: dict[str, Any] = json.loads(await socket.recv())
        except websockets.ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else 0
            name = CloseCode(code).name if code in set(CloseCode) else code
            raise StreamFailed(f"the server closed it: {name}") from error
        return message

    def _frame(self, now: float) -> bytes:
        recording = (self._first + int((now + self._ahead_s) / PERSON_SECONDS)) % len(self._recordings)
        index = self._sequence % FRAMES
        self._in_flight[self._sequence] = recording, index, time.monotonic()
        jpeg = self._recordings[recording][index]
        frame = CameraFrame(self._sequence, now * 1e3, self._link_us, jpeg).pack()
        self._sequence += 1
        return frame

    def _take(self, result: dict[str, Any]) -> None:
        now = time.monotonic()
        recording, index, sent_at = self._in_flight.pop(result["sequence"])
        round_trip_ms = (now - sent_at) * 1e3
        if result["status"] == "dropped":
            self.seen.dropped += 1
            return
        if result["status"] != "analysed":
            raise StreamFailed("the server could not analyse a frame")
        self._link_us = max(round((round_trip_ms - result["timings"]["server"]) * 1e3), 0)
        self.seen.analysed.append(SentFrame(recording, index, result["embedded"], round_trip_ms, now))
