"""Cameras that behave as the live page does: they come back when their connection ends, and keep what they heard."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import itertools
import json
import random
import threading
import time
from collections.abc import Sequence
from typing import Any, Self

import websockets
from websockets.asyncio.client import ClientConnection, connect

from recognition.live.messages import PROTOCOL_VERSION, CameraFrame, CloseCode

FRAMES_PER_S = 8
IN_VIEW_S = 1.5
"""How long somebody is seen, and then nobody for as long: each time is a decision of its own."""

SILENCE_S = 10.0
"""As `SILENCE_LIMIT_MS` of the page."""

FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 10.0
"""As the page's `Backoff`."""

GAP_S = 1.0
"""Without an analysed frame for longer the page warns that it is not to be relied on."""


@dataclasses.dataclass(slots=True)
class Seen:
    """What one camera was told.

    Args:
        analysed_at: `time.monotonic()` of each analysed frame.
        lost: frames that failed, or that the connection took with it.
        closed: close codes, by name or number.
        notices: codes of the notices that it heard.
        decided: decision of each event that it was told of.
    """

    analysed_at: list[float] = dataclasses.field(default_factory=list)
    lost: int = 0
    closed: list[str] = dataclasses.field(default_factory=list)
    notices: list[str] = dataclasses.field(default_factory=list)
    decided: dict[int, str] = dataclasses.field(default_factory=dict)


def outage_s(analysed_at: Sequence[float], *, since: float, until: float) -> float | None:
    """Seconds from a fault until a camera worked again for good; 0 when it never stood still.

    Args:
        analysed_at: when frames were analysed, in order.
        since: when the fault began.
        until: when it was looked at last.

    Returns:
        None when it still stands still.
    """
    moments = [since, *(moment for moment in analysed_at if since < moment <= until), until]
    gaps = [(before, after) for before, after in itertools.pairwise(moments) if after - before > GAP_S]
    if not gaps:
        return 0.0
    end = gaps[-1][1]
    return None if end == until else end - since


class Cameras:
    """Some cameras in a thread of their own, until the block ends."""

    def __init__(self, address: str, cookie: str, frames: Sequence[bytes], count: int) -> None:
        """Takes where they stream to and what they show.

        Args:
            address: of the site.
            cookie: of somebody who may use the live page.
            frames: JPEG of a view with somebody, and of one without.
            count: how many cameras.
        """
        self.seen = [Seen() for _ in range(count)]
        self._address, self._cookie, self._frames = address, cookie, frames
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        """Start them."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them, and wait for what they have in flight."""
        self._stop.set()
        self._thread.join()

    def outage_s(self, *, since: float, until: float) -> float | None:
        """The longest of all cameras; see `outage_s`."""
        each = [outage_s(camera.analysed_at, since=since, until=until) for camera in self.seen]
        return None if None in each else max(out for out in each if out is not None)

    def work(self, since: float) -> bool:
        """Whether each has had frames analysed since then."""
        return all(camera.analysed_at and camera.analysed_at[-1] > since for camera in self.seen)

    def decided(self) -> dict[int, str]:
        """Every event that any of them was told of."""
        return {event: decision for camera in self.seen for event, decision in camera.decided.items()}

    def count(self, name: str) -> collections.Counter[str]:
        """How often each code was heard, of `closed` or `notices`."""
        return collections.Counter(code for camera in self.seen for code in getattr(camera, name))

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number, seen in enumerate(self.seen):
                group.create_task(_Camera(self, number, seen).run())

    async def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stop.is_set() and time.monotonic() < end:
            await asyncio.sleep(min(0.05, seconds))

    @property
    def stopped(self) -> bool:
        """Whether they are to stop."""
        return self._stop.is_set()


class _Camera:
    def __init__(self, cameras: Cameras, number: int, seen: Seen) -> None:
        self._cameras, self._seen = cameras, seen
        self._ahead_s = number * IN_VIEW_S / 2
        self._sequence = 0
        self._failures = 0

    async def run(self) -> None:
        while not self._cameras.stopped:
            try:
                await self._session()
            except websockets.ConnectionClosed as error:
                code = error.rcvd.code if error.rcvd else 1006
                self._seen.closed.append(CloseCode(code).name if code in set(CloseCode) else str(code))
            except (OSError, websockets.WebSocketException, TimeoutError) as error:
                self._seen.closed.append(type(error).__name__)
            if not self._cameras.stopped:
                full = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2**self._failures)
                self._failures += 1
                await self._cameras._wait(full / 2 * (1 + random.random()))  # noqa: S311

    async def _session(self) -> None:
        cameras = self._cameras
        address = cameras._address.replace("http", "ws", 1) + "/ws/live/"
        async with connect(
            address,
            origin=websockets.Origin(cameras._address),
            additional_headers={"Cookie": cameras._cookie},
            compression=None,
            proxy=None,
            open_timeout=SILENCE_S,
            close_timeout=1,
        ) as socket:
            await socket.send(json.dumps({"type": "hello", "protocol": PROTOCOL_VERSION}))
            while await self._hear(socket) != "welcome":
                pass
            while not cameras.stopped:
                began = time.monotonic()
                await socket.send(self._frame(began))
                try:
                    while await self._hear(socket) != "result":
                        pass
                except (websockets.WebSocketException, TimeoutError):
                    self._seen.lost += 1
                    raise
                await cameras._wait(1 / FRAMES_PER_S - (time.monotonic() - began))
            # What was decided on the last frame is told after its result.
            await socket.send(self._frame(time.monotonic()))
            while await self._hear(socket) != "result":
                pass

    def _frame(self, now: float) -> bytes:
        self._sequence += 1
        view = int((now + self._ahead_s) / IN_VIEW_S) % len(self._cameras._frames)
        return CameraFrame(self._sequence, now * 1e3, 0, self._cameras._frames[view]).pack()

    async def _hear(self, socket: ClientConnection) -> str:
        async with asyncio.timeout(SILENCE_S):
            message: dict[str, Any] = json.loads(await socket.recv())
        kind: str = message["type"]
        if kind == "decision":
            self._seen.decided[message["event"]] = message["decision"]
        elif kind == "notice":
            self._seen.notices.append(message["code"])
        elif kind == "result" and message["status"] == "analysed":
            self._seen.analysed_at.append(time.monotonic())
            self._failures = 0
        elif kind == "result":
            self._seen.lost += message["status"] == "failed"
        return kind
