"""The cameras of the benchmark: websocket clients that stream recordings.

They send as fast as the server's window allows, or make so many frames a second as webcams do, and then always send
the newest.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import math
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from recognition.bench.recordings import FRAMES, FRAMES_PER_S, PERSON_SECONDS
from recognition.bench.server import Server
from recognition.live.messages import PROTOCOL_VERSION, CameraFrame, CloseCode
from recognition.vision.types import BoundingBox

ANSWER_TIMEOUT_S = 30.0
"""A server that has not accepted all clients and answered all frames this long after the end has failed."""


MOST_IN_FLIGHT = 2
"""One with a worker and one that waits. A third is for links of 10 ms and more; ours only seems so long while something
else has the machine, and then the third would be dropped and sent again as fast as the server answers."""


SEED = 20_261_128
"""Of the moments at which paced cameras begin: nobody sets webcams going in step, and nobody spreads them evenly."""


class StreamFailed(Exception):
    """A session ended, or its frames were not analysed."""


@dataclasses.dataclass(frozen=True, slots=True)
class SentFrame:
    """One frame that the server analysed.

    Args:
        recording: which one the frame is from.
        index: of the frame in it.
        embedded: faces that the server embedded in it.
        near: where the server looked for faces, if not everywhere: around these.
        round_trip_ms: from sending it to its result.
        answered_s: when the result came, on the monotonic clock.
    """

    recording: int
    index: int
    embedded: int
    near: tuple[BoundingBox, ...]
    round_trip_ms: float
    answered_s: float


@dataclasses.dataclass(slots=True)
class Stream:
    """What one client saw.

    Args:
        analysed: the frames that were analysed, in the order of their results.
        made: frames that the camera made; one that a newer one replaced before it could be sent is among them.
        dropped: frames that a newer one replaced at the server.
        failed: frames that the server could not analyse, or not in time.
        decisions: decisions that the server stored.
    """

    analysed: list[SentFrame] = dataclasses.field(default_factory=list)
    made: int = 0
    dropped: int = 0
    failed: int = 0
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


class Shutter:
    """When a camera makes frames: a paced one at fixed times, another one whenever a frame can be sent."""

    def __init__(self, fps: int | None = None, first_s: float = 0.0) -> None:
        """Starts before the first frame.

        Args:
            fps: frames a second, a divisor of the recordings' own rate; None for no pace.
            first_s: when a paced camera makes its first frame.
        """
        self._fps = fps
        self._first_s = first_s
        self.made = 0
        self.step = FRAMES_PER_S // (fps or FRAMES_PER_S)

    def takes(self, now: float) -> bool:
        """Whether there is a new frame; of several, all but the newest are lost."""
        before = self.made
        self.made = before + 1 if self._fps is None else self._made_by(now, self._fps)
        return self.made > before

    def next_s(self) -> float:
        """When the next frame will be there."""
        return 0.0 if self._fps is None else self._first_s + self.made / self._fps

    def close(self, now: float) -> None:
        """Counts what was made until the end and never sent."""
        if self._fps is not None:
            self.made = self._made_by(now, self._fps)

    def _made_by(self, now: float, fps: int) -> int:
        # Rounding must not keep a frame from being there at its own time.
        return max(math.floor((now - self._first_s) * fps + 1e-6) + 1, self.made)


def stream(
    server: Server,
    cookie: str,
    recordings: Sequence[Sequence[bytes]],
    *,
    streams: int,
    seconds: float,
    fps: int | None = None,
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
        fps: frames that each camera makes a second; None sends as many as the server takes.

    Raises:
        StreamFailed: when a session ends or a frame fails.
    """
    moments = random.Random(SEED)  # noqa: S311  # no secret
    cameras = [
        Camera(recordings, number, number / streams * PERSON_SECONDS, Shutter(fps, moments.random() / (fps or 1)))
        for number in range(streams)
    ]
    return asyncio.run(_stream(server, cookie, cameras, seconds))


async def _stream(server: Server, cookie: str, cameras: Sequence[Camera], seconds: float) -> Streamed:
    ready = asyncio.Barrier(len(cameras) + 1)
    async with failing_as_stream(), asyncio.timeout(seconds + ANSWER_TIMEOUT_S), asyncio.TaskGroup() as group:
        for camera in cameras:
            group.create_task(camera.run(server, cookie, ready, seconds))
        await ready.wait()
        begin = time.monotonic()
    if any(camera.seen.failed for camera in cameras):
        raise StreamFailed("The server could not analyse a frame.")
    return Streamed(tuple(camera.seen for camera in cameras), time.monotonic() - begin)


@contextlib.asynccontextmanager
async def failing_as_stream() -> AsyncIterator[None]:
    """Whatever ends a client or keeps it waiting is one error.

    Raises:
        StreamFailed: instead of it.
    """
    try:
        yield
    except* (OSError, websockets.WebSocketException, TimeoutError, StreamFailed) as errors:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise StreamFailed(f"A stream ended: {type(first).__name__} {first}") from first


def _window(message: dict[str, Any]) -> int:
    """How many frames may be in flight from this message on."""
    return min(int(message["window"]), MOST_IN_FLIGHT)


def _box(box: Mapping[str, float]) -> BoundingBox:
    return BoundingBox(box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"])


class Camera:
    """One client."""

    def __init__(self, recordings: Sequence[Sequence[bytes]], first: int, ahead_s: float, shutter: Shutter) -> None:
        """Makes it ready to run.

        Args:
            recordings: JPEG frames of each person.
            first: the recording that it begins with.
            ahead_s: how long its first person has been there.
            shutter: when it makes frames.
        """
        self.seen = Stream()
        self._shutter = shutter
        self._recordings = recordings
        self._first = first
        self._ahead_s = ahead_s
        self._sequence = 0
        self._link_us = 0
        self._in_flight: dict[int, tuple[int, int, float]] = {}

    async def run(
        self, server: Server, cookie: str, ready: asyncio.Barrier, seconds: float, *, is_cut_off: bool = False
    ) -> None:
        """Streams until the time is up.

        Args:
            server: where to.
            cookie: header of a user who may use the live page.
            ready: waited for before the first frame.
            seconds: for how long.
            is_cut_off: whether the connection then ends without a word, whatever is in flight.
        """
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
            while (now := time.monotonic() - begin) < seconds or (self._in_flight and not is_cut_off):
                may_send = now < seconds and len(self._in_flight) < window
                if may_send and self._shutter.takes(now):
                    await socket.send(self._frame(now))
                    continue
                wait_s = min(self._shutter.next_s(), seconds) - now if may_send else None
                try:
                    async with asyncio.timeout(wait_s):
                        message = await self._next(socket)
                except TimeoutError:
                    # The next frame is there first.
                    continue
                if message["type"] == "result":
                    window = _window(message)
                    self._take(message)
                elif message["type"] == "decision":
                    self.seen.decisions += 1
            self._shutter.close(seconds)
            self.seen.made = self._shutter.made
            if is_cut_off:
                socket.transport.abort()

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
        index = self._sequence * self._shutter.step % FRAMES
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
            self.seen.failed += 1
            return
        self._link_us = max(round((round_trip_ms - result["timings"]["server"]) * 1e3), 0)
        near = () if result["everywhere"] else tuple(_box(face["box"]) for face in result["faces"])
        self.seen.analysed.append(SentFrame(recording, index, result["embedded"], near, round_trip_ms, now))
