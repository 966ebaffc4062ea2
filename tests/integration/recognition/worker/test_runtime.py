from __future__ import annotations

import datetime as dt
import logging
import queue
import time
from collections.abc import Iterator

import numpy as np
import pytest
from django.utils import timezone

from recognition.models import ModelPack
from recognition.selectors.packs import NoActivePack
from recognition.services import analysis, policies
from recognition.services.frames import FrameOutcome, FrameStatus, FrameTask
from recognition.vision.errors import PackError, UnreadableImage
from recognition.worker import engine as engines
from recognition.worker import runtime
from recognition.worker.engine import EngineSource
from recognition.worker.runtime import ThreadedWorker
from tests import faces, fakes

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 60.0


@pytest.fixture
def worker() -> Iterator[ThreadedWorker]:
    worker = ThreadedWorker(2)
    yield worker
    worker.stop()


def frame() -> FrameTask:
    return FrameTask(faces.jpeg(faces.astronaut()), (), time.monotonic())


def outcome_of(worker: ThreadedWorker, task: FrameTask | None = None) -> FrameOutcome:
    answers: queue.Queue[FrameOutcome] = queue.Queue()
    worker.submit(task or frame(), answers.put)
    return answers.get(timeout=PATIENCE_S)


class TestThreadedWorker:
    def test_answers_frames_and_photos(self, default_pack: ModelPack, worker: ThreadedWorker) -> None:
        outcome = outcome_of(worker)
        assert outcome.status is FrameStatus.ANALYSED
        assert outcome.active is not None
        assert outcome.active.digest == default_pack.digest
        assert len(outcome.faces) == 1
        assert len(worker.analyse(faces.jpeg(faces.group()))) == faces.PEOPLE_IN_GROUP

    def test_without_an_active_pack_frames_fail_and_the_worker_lives(
        self, worker: ThreadedWorker, small_runtime: None, request: pytest.FixtureRequest
    ) -> None:
        assert outcome_of(worker).status is FrameStatus.FAILED
        request.getfixturevalue("default_pack")
        assert outcome_of(worker).status is FrameStatus.ANALYSED

    def test_survives_jobs_that_raise(
        self, default_pack: ModelPack, worker: ThreadedWorker, caplog: pytest.LogCaptureFixture
    ) -> None:
        def raising(_: FrameOutcome) -> None:
            raise RuntimeError("the session is broken")

        with caplog.at_level(logging.ERROR):
            for _ in range(4):  # more than there are threads
                worker.submit(FrameTask(b"no image", (), 0.0), raising)
            assert outcome_of(worker).status is FrameStatus.ANALYSED
        assert "a recognition job failed" in caplog.text

    def test_gives_the_error_of_a_photo_to_whoever_sent_it(
        self, default_pack: ModelPack, worker: ThreadedWorker
    ) -> None:
        with pytest.raises(UnreadableImage):
            worker.analyse(b"no image")
        damaged = faces.jpeg(faces.astronaut())[:600]
        with pytest.raises(UnreadableImage):
            worker.analyse(damaged)
        assert worker.analyse(faces.jpeg(np.zeros((50, 50, 3), np.uint8))) == ()

    def test_gives_up_on_a_photo_after_a_while(self, worker: ThreadedWorker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(runtime, "PHOTO_TIMEOUT_S", 0.05)
        blocked: queue.Queue[None] = queue.Queue()
        monkeypatch.setattr(EngineSource, "current", lambda _: blocked.get(timeout=PATIENCE_S))
        try:
            with pytest.raises(analysis.AnalyserUnavailable):
                worker.analyse(faces.jpeg(np.zeros((50, 50, 3), np.uint8)))
        finally:
            blocked.put(None)

    def test_answers_what_it_took_before_it_stops(self, default_pack: ModelPack) -> None:
        worker = ThreadedWorker(1)
        answers: queue.Queue[FrameOutcome] = queue.Queue()
        for _ in range(3):
            worker.submit(frame(), answers.put)
        worker.stop()
        assert [answers.get_nowait().status for _ in range(3)] == [FrameStatus.ANALYSED] * 3


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


class TestEngineSource:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> Clock:
        clock = Clock()
        monkeypatch.setattr(engines, "time", clock)
        return clock

    def test_without_an_active_pack_says_so(self, small_runtime: None) -> None:
        with pytest.raises(NoActivePack):
            EngineSource().current()

    def test_notices_a_policy_change_after_the_interval_and_keeps_the_pipeline(
        self, default_pack: ModelPack, clock: Clock
    ) -> None:
        source = EngineSource()
        first = source.current()
        changed = policies.create_version(pack=default_pack, values={"margin": 0.3}, reason="a test", actor=None)
        clock.now_s += engines.REFRESH_INTERVAL_S / 2
        assert source.current() is first
        clock.now_s += engines.REFRESH_INTERVAL_S
        second = source.current()
        assert second.active.policy is not None
        assert (second.active.policy.version, second.active.policy.margin) == (changed.version, 0.3)
        assert second.pipeline is first.pipeline

    def test_puts_an_approved_version_in_force_when_its_time_has_come(
        self, default_pack: ModelPack, clock: Clock
    ) -> None:
        source = EngineSource()
        first = source.current()
        now = timezone.now()
        proposed = policies.propose(
            pack=default_pack, values={"margin": 0.3}, reason="a test", actor=fakes.user(), effective_from=now
        )
        policies.approve(policy=proposed, actor=fakes.user(), now=now - dt.timedelta(hours=1))
        clock.now_s += 2 * engines.REFRESH_INTERVAL_S
        second = source.current()
        assert first.active.policy is not None
        assert second.active.policy is not None
        assert (first.active.policy.margin, second.active.policy.margin) == (0.05, 0.3)

    def test_gives_the_same_engine_while_nothing_changes(self, default_pack: ModelPack, clock: Clock) -> None:
        source = EngineSource()
        first = source.current()
        assert source.current() is first
        clock.now_s += 10 * engines.REFRESH_INTERVAL_S
        assert source.current() == first

    def test_refuses_a_pack_on_disk_that_is_not_the_one_of_the_gallery(self, default_pack: ModelPack) -> None:
        ModelPack.objects.filter(pk=default_pack.pk).update(digest="f" * 64)
        with pytest.raises(PackError, match="not the one that the gallery was"):
            EngineSource().current()


def test_starting_in_process_activates_the_default_pack_and_connects_photos(
    small_runtime: None, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(analysis, "_analysers", [])
    request.addfinalizer(runtime.start_in_process().stop)
    pack = ModelPack.objects.get(is_active=True)
    assert (pack.name, pack.dimension, pack.decides) == ("opencv-zoo", 128, True)
    assert len(analysis.analyse(faces.jpeg(faces.astronaut()))) == 1
