"""The newest frame of a session, and its way to a worker and back to the event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from recognition.live.messages import CameraFrame
from recognition.services.frames import SITE_WIDE, FrameOutcome, FrameTask, FrameWorker, SearchScope, TrackHint

_workers: list[FrameWorker] = []


class NoWorker(Exception):
    """This process was connected to no worker."""


def connect(worker: FrameWorker) -> None:
    """Gives this process its worker; called by its entry point. The last one connected is used."""
    _workers[:] = [worker]


def connected() -> FrameWorker:
    """The worker of this process.

    Raises:
        NoWorker: when its entry point connected none.
    """
    if not _workers:
        raise NoWorker("No recognition worker is connected to this process.")
    return _workers[0]


class NewestFrame:
    """One waiting frame; a newer one takes its place.

    Belongs to one event loop; none of its methods may be called from another thread.
    """

    def __init__(self, on_dropped: Callable[[CameraFrame], None]) -> None:
        """Starts empty.

        Args:
            on_dropped: called for each frame that a newer one replaced.
        """
        self._on_dropped = on_dropped
        self._waiting: tuple[CameraFrame, float] | None = None
        self._arrived = asyncio.Event()

    def put(self, frame: CameraFrame, received_at: float) -> None:
        """Keeps a frame, dropping the one that waits."""
        if self._waiting is not None:
            self._on_dropped(self._waiting[0])
        self._waiting = frame, received_at
        self._arrived.set()

    async def take(self) -> tuple[CameraFrame, float]:
        """Waits for a frame and takes it, with the time it arrived."""
        while (taken := self.take_waiting()) is None:
            await self._arrived.wait()
        return taken

    def take_waiting(self) -> tuple[CameraFrame, float] | None:
        """Takes the frame that waits, with the time it arrived; None when none does."""
        taken, self._waiting = self._waiting, None
        self._arrived.clear()
        return taken


def prepare(frame: CameraFrame, scope: SearchScope) -> None:
    """Lets the worker look at a frame that waits for its session's last one; see `FrameWorker.prepare`."""
    with contextlib.suppress(NoWorker):
        connected().prepare(frame.jpeg, scope)


def analysed(
    frame: CameraFrame, hints: tuple[TrackHint, ...], received_at: float, scope: SearchScope = SITE_WIDE
) -> asyncio.Future[FrameOutcome]:
    """Hands a frame to the worker, which has it when this returns; its outcome is the future's.

    Args:
        frame: as it came.
        hints: the session's tracks.
        received_at: when it came, by `time.monotonic()`.
        scope: what is looked for.

    Raises:
        NoWorker: when the process has none.
    """
    worker = connected()
    loop = asyncio.get_running_loop()
    future: asyncio.Future[FrameOutcome] = loop.create_future()

    def finish(outcome: FrameOutcome) -> None:
        if not future.done():
            future.set_result(outcome)

    def done(outcome: FrameOutcome) -> None:
        # The loop is closed when the server stops while a frame is in the worker.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(finish, outcome)

    worker.submit(FrameTask(frame.jpeg, hints, received_at, scope), done)
    return future
