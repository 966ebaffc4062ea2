"""Sessions of the benchmark that come and go."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
from collections.abc import Sequence

from recognition.bench.clients import ANSWER_TIMEOUT_S, SEED, Camera, Shutter, failing_as_stream
from recognition.bench.server import Server


@dataclasses.dataclass(frozen=True, slots=True)
class Visited:
    """What sessions that came and went saw.

    Args:
        visits: sessions that joined and left.
        cut_off: those of them that left without saying so, as a laptop that is closed.
        frames: analysed.
        failed: frames that the server could not analyse, or not in time.
    """

    visits: int
    cut_off: int
    frames: int
    failed: int


def run(
    server: Server,
    cookie: str,
    recordings: Sequence[Sequence[bytes]],
    *,
    sessions: int,
    seconds: float,
    longest_s: float,
    fps: int,
) -> Visited:
    """Has sessions join, stream and leave again, every second time without a word.

    Args:
        server: where to.
        cookie: header of a user who may use the live page.
        recordings: JPEG frames of each person.
        sessions: at the same time.
        seconds: for how long new ones join.
        longest_s: how long a session stays at most, a quarter of it at least.
        fps: frames that each camera makes a second.

    Raises:
        StreamFailed: when a session ends that should not.
    """
    return asyncio.run(_run(server, cookie, recordings, sessions, seconds, longest_s, fps))


async def _run(
    server: Server,
    cookie: str,
    recordings: Sequence[Sequence[bytes]],
    sessions: int,
    seconds: float,
    longest_s: float,
    fps: int,
) -> Visited:
    visits = cut_off = frames = failed = 0
    end = time.monotonic() + seconds

    async def come_and_go(place: int) -> None:
        nonlocal visits, cut_off, frames, failed
        stays = random.Random(SEED + place)  # noqa: S311  # no secret
        turn = place
        while time.monotonic() < end:
            camera = Camera(recordings, turn, 0.0, Shutter(fps, stays.random() / fps))
            is_cut_off = turn % 2 == 1
            stay_s = stays.uniform(longest_s / 4, longest_s)
            await camera.run(server, cookie, asyncio.Barrier(1), stay_s, is_cut_off=is_cut_off)
            visits, cut_off, frames = visits + 1, cut_off + is_cut_off, frames + len(camera.seen.analysed)
            failed += camera.seen.failed
            turn += 1

    async with (
        failing_as_stream(),
        asyncio.timeout(seconds + longest_s + ANSWER_TIMEOUT_S),
        asyncio.TaskGroup() as group,
    ):
        for place in range(sessions):
            group.create_task(come_and_go(place))
    return Visited(visits, cut_off, frames, failed)
