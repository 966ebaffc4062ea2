from __future__ import annotations

import asyncio

import pytest

from recognition.live import frames
from recognition.live.frames import NewestFrame, NoWorker
from recognition.live.messages import CameraFrame
from recognition.services.frames import FrameOutcome, FrameStatus
from tests import fakes


def frame(sequence: int) -> CameraFrame:
    return CameraFrame(sequence, capture_time_ms=0.0, link_us=0, jpeg=b"a jpeg")


class TestNewestFrame:
    async def test_gives_the_only_frame_with_the_time_it_arrived(self) -> None:
        newest = NewestFrame(lambda _: None)
        newest.put(frame(1), 12.5)
        assert await newest.take() == (frame(1), 12.5)

    async def test_gives_the_newest_and_tells_of_each_it_dropped(self) -> None:
        dropped: list[int] = []
        newest = NewestFrame(lambda lost: dropped.append(lost.sequence))
        for sequence in (1, 2, 3):
            newest.put(frame(sequence), float(sequence))
        assert (await newest.take())[0].sequence == 3
        assert dropped == [1, 2]

    async def test_gives_each_frame_once(self) -> None:
        newest = NewestFrame(lambda _: None)
        newest.put(frame(1), 0)
        await newest.take()
        waiting = asyncio.ensure_future(newest.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        newest.put(frame(2), 0)
        assert (await waiting)[0].sequence == 2

    async def test_wakes_whoever_waits_for_a_frame(self) -> None:
        newest = NewestFrame(lambda _: None)
        waiting = asyncio.ensure_future(newest.take())
        await asyncio.sleep(0)
        newest.put(frame(7), 0)
        assert (await waiting)[0].sequence == 7


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_workers", [])


class TestAnalysed:
    async def test_without_a_worker_says_so(self) -> None:
        with pytest.raises(NoWorker, match="No recognition worker"):
            await frames.analysed(frame(1), (), 0)

    async def test_gives_the_worker_frame_hints_and_time_and_waits_for_its_answer(self) -> None:
        worker = fakes.FakeFrameWorker(lambda task: FrameOutcome(FrameStatus.TOO_LARGE))
        frames.connect(worker)
        outcome = await asyncio.wait_for(frames.analysed(frame(1), (), 12.5), 10)
        assert outcome.status is FrameStatus.TOO_LARGE
        assert [(task.jpeg, task.hints, task.received_at) for task in worker.tasks] == [(b"a jpeg", (), 12.5)]

    async def test_an_answer_that_comes_after_the_session_ended_disturbs_nobody(self) -> None:
        worker = fakes.FakeFrameWorker()
        worker.held = True
        frames.connect(worker)
        waiting = asyncio.ensure_future(frames.analysed(frame(1), (), 0))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        worker.release()
        await asyncio.sleep(0)
        assert waiting.cancelled()

    def test_an_answer_that_comes_after_the_server_stopped_disturbs_nobody(self) -> None:
        worker = fakes.FakeFrameWorker()
        worker.held = True
        frames.connect(worker)

        async def begin() -> None:
            waiting = asyncio.ensure_future(frames.analysed(frame(1), (), 0))
            await asyncio.sleep(0)
            waiting.cancel()

        asyncio.run(begin())
        worker.release()

    async def test_the_last_worker_connected_is_asked(self) -> None:
        first, last = fakes.FakeFrameWorker(), fakes.FakeFrameWorker()
        frames.connect(first)
        frames.connect(last)
        await asyncio.wait_for(frames.analysed(frame(1), (), 0), 10)
        assert (len(first.tasks), len(last.tasks)) == (0, 1)
