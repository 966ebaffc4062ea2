"""The other way to workers, on the channel layer in memory and with a recogniser that only counts."""

from __future__ import annotations

import asyncio

import pytest
from channels.layers import get_channel_layer
from channels.testing import ApplicationCommunicator

from recognition.bench.channel_layer import CHANNEL, ChannelWorkers, RecognitionConsumer
from recognition.services.frames import FrameOutcome, FrameStatus, FrameTask
from recognition.services.wire import Request
from recognition.worker.recogniser import Recogniser

pytestmark = pytest.mark.django_db(transaction=True)


class CountingRecogniser(Recogniser):
    """Says of a frame how many bytes it has."""

    def answer(self, request: Request, look: object = None) -> FrameOutcome:
        return FrameOutcome(FrameStatus.ANALYSED, codes=(str(len(request.image)),))


async def test_a_frame_is_answered_by_a_consumer_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecognitionConsumer, "recogniser", CountingRecogniser(), raising=False)
    outcome: asyncio.Future[FrameOutcome] = asyncio.get_running_loop().create_future()
    workers = ChannelWorkers()
    workers.submit(FrameTask(b"12345", (), 0.0), outcome.set_result)

    message = await asyncio.wait_for(get_channel_layer().receive(CHANNEL), 10)
    consumer = ApplicationCommunicator(RecognitionConsumer.as_asgi(), {"type": "channel", "channel": CHANNEL})
    await consumer.send_input(message)

    assert (await asyncio.wait_for(outcome, 10)).codes == ("5",)
    await consumer.wait(0)
