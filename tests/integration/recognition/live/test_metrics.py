"""What is counted of pages with a camera."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from recognition.live import metrics
from recognition.models import Person
from recognition.services.frames import FrameOutcome, FrameStatus
from tests import fakes
from tests.integration.recognition.live.conftest import Page, Worker

pytestmark = pytest.mark.django_db(transaction=True)


class Counted:
    """How much each number grew since the test began."""

    NAMES = {
        "sessions": ("faceweb_sessions", {"kind": "live session"}),
        "received": ("faceweb_frames_received_total", {}),
        "analysed": ("faceweb_frames_answered_total", {"status": "analysed"}),
        "failed": ("faceweb_frames_answered_total", {"status": "failed"}),
        "superseded": ("faceweb_frames_dropped_total", {"reason": "superseded"}),
        "detect": ("faceweb_frame_stage_seconds_count", {"stage": "detect"}),
        "embed": ("faceweb_frame_stage_seconds_count", {"stage": "embed"}),
        "total": ("faceweb_frame_stage_seconds_count", {"stage": "total"}),
    }

    def __init__(self) -> None:
        self._before = self._read()

    def now(self) -> dict[str, float]:
        """Those that grew."""
        now = self._read()
        return {name: now[name] - before for name, before in self._before.items() if now[name] != before}

    def _read(self) -> dict[str, float]:
        read = metrics.REGISTRY.get_sample_value
        return {name: read(sample, labels) or 0.0 for name, (sample, labels) in self.NAMES.items()}


async def test_a_page_is_counted_while_it_is_open(page: Callable[..., Page], worker: Worker) -> None:
    counted = Counted()
    opened = page()
    await opened.is_welcomed()
    assert counted.now() == {"sessions": 1}
    await opened.leaves()
    assert counted.now() == {}


async def test_every_frame_that_comes_is_answered_or_dropped(
    page: Callable[..., Page], worker: Worker, ada: Person
) -> None:
    opened = page()
    await opened.is_welcomed()
    counted = Counted()
    worker.held = True
    for _ in range(4):
        await opened.shows()
    for _ in range(2):
        await opened.hears("result")
    assert counted.now() == {"received": 4, "superseded": 2}
    worker.release()
    for _ in range(2):
        await opened.hears("result")
    assert counted.now() == {"received": 4, "superseded": 2, "analysed": 2, "detect": 2, "embed": 2, "total": 2}


async def test_stages_are_counted_where_there_was_something_to_do(page: Callable[..., Page], worker: Worker) -> None:
    opened = page()
    await opened.is_welcomed()
    counted = Counted()
    worker.looks_like = None
    await opened.shows()
    await opened.hears("result")
    worker.answer = lambda task: FrameOutcome(FrameStatus.FAILED)
    await opened.shows()
    await opened.hears("result")
    assert counted.now() == {"received": 2, "analysed": 1, "failed": 1, "detect": 1, "total": 1}


def test_what_runs_the_networks_is_told() -> None:
    read = metrics.REGISTRY.get_sample_value
    metrics.answered(FrameOutcome(FrameStatus.ANALYSED, active=fakes.active_pack(), runtime="fake 2.0"), 1.0)
    labels = {"runtime": "fake 2.0", "pack": fakes.active_pack().name}
    assert read("faceweb_recognition_info", labels) == 1
