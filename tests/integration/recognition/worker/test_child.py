"""Real recognition processes, as `faceweb up` keeps them: what they answer, and what happens when they do not."""

from __future__ import annotations

import contextlib
import queue
import signal
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from django.db import connection
from pytest_django import Settings

from faceweb import env, server
from recognition.models import ModelPack
from recognition.services import children
from recognition.services.analysis import AnalyserUnavailable
from recognition.services.children import ChildWorkers, StartFailed
from recognition.services.frames import SITE_WIDE, FrameOutcome, FrameStatus, FrameTask
from recognition.vision.errors import UnreadableImage
from tests import faces
from tests.processes import DEADLINE_S, POLL_INTERVAL_S, wait_until_gone

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def environment(default_pack: ModelPack, settings: Settings) -> dict[str, str]:
    """Leads a child to the tests' database and cache."""
    database = connection.settings_dict
    host = urllib.parse.quote(database["HOST"], safe="")
    account = database["USER"] + (f":{urllib.parse.quote(database['PASSWORD'])}" if database["PASSWORD"] else "")
    port = f":{database['PORT']}" if database["PORT"] else ""
    return env.of_child(
        {
            env.DATABASE_URL.name: f"postgresql://{account}@{host}{port}/{database['NAME']}",
            env.CACHE_DIR.name: str(settings.FACEWEB_CACHE_DIR),
            env.RUNTIME.name: settings.FACEWEB_RUNTIME,
            env.WORKER_THREADS.name: str(settings.FACEWEB_WORKER_THREADS),
        }
    )


@pytest.fixture
def start(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ChildWorkers]]:
    """Starts workers with so many lanes each, one with two unless told otherwise; all are stopped after the test."""
    monkeypatch.setattr(children, "BACK_OFF_S", (0.0,))
    with contextlib.ExitStack() as stack:

        def start(*lanes: int) -> ChildWorkers:
            workers = ChildWorkers(server.RECOGNITION, environment, lambda: lanes or (2,))
            stack.callback(workers.stop)
            return workers

        yield start


def processes() -> list[psutil.Process]:
    """Those that have not ended, or whose end their keeper has not dealt with."""

    def is_one(child: psutil.Process) -> bool:
        try:
            return server.RECOGNITION[-1] in child.cmdline()
        except psutil.ZombieProcess:
            return True
        except psutil.NoSuchProcess:
            return False

    return [child for child in psutil.Process().children() if is_one(child)]


def wait_for_processes(count: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while len(processes()) < count:
        assert time.monotonic() < deadline, f"{count} processes were not started"
        time.sleep(POLL_INTERVAL_S)


def sockets_of(process: psutil.Process) -> set[str]:
    """Each end of a connection that a process holds, by the kernel's name of it."""
    ends = set()
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            ends.add(link.readlink().name)
    return {end for end in ends if end.startswith("socket:")}


def submit(workers: ChildWorkers) -> queue.Queue[FrameOutcome]:
    answers: queue.Queue[FrameOutcome] = queue.Queue()
    workers.submit(FrameTask(faces.jpeg(faces.astronaut()), (), time.monotonic()), answers.put)
    return answers


def status_of_a_frame(workers: ChildWorkers) -> FrameStatus:
    return submit(workers).get(timeout=DEADLINE_S).status


def wait_until_recognising(workers: ChildWorkers) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while status_of_a_frame(workers) is not FrameStatus.ANALYSED:
        assert time.monotonic() < deadline, "recognition did not come back"
        time.sleep(POLL_INTERVAL_S)


def test_frames_and_photos_are_analysed(start: Callable[..., ChildWorkers], default_pack: ModelPack) -> None:
    workers = start()
    outcome = submit(workers).get(timeout=DEADLINE_S)
    assert outcome.status is FrameStatus.ANALYSED
    assert outcome.active is not None
    assert outcome.active.digest == default_pack.digest
    assert len(outcome.faces) == 1
    assert len(workers.analyse(faces.jpeg(faces.group()))) == faces.PEOPLE_IN_GROUP
    assert workers.analyse(faces.jpeg(np.zeros((50, 50, 3), np.uint8))) == ()


def test_a_frame_looked_at_ahead_is_answered_like_any_other(start: Callable[..., ChildWorkers]) -> None:
    workers = start(1)
    at_once = submit(workers).get(timeout=DEADLINE_S)
    for jpeg in (faces.jpeg(faces.astronaut()), b"no image"):
        workers.prepare(jpeg, SITE_WIDE)
        answers: queue.Queue[FrameOutcome] = queue.Queue()
        workers.submit(FrameTask(jpeg, (), time.monotonic()), answers.put)
        outcome = answers.get(timeout=DEADLINE_S)
        if jpeg == b"no image":
            assert outcome.status is FrameStatus.UNREADABLE
        else:
            assert outcome.faces == at_once.faces


def test_a_damaged_photo_is_refused_as_in_one_process(start: Callable[..., ChildWorkers]) -> None:
    workers = start()
    for data in (b"no image", faces.jpeg(faces.astronaut())[:600]):
        with pytest.raises(UnreadableImage):
            workers.analyse(data)


def test_a_pack_that_cannot_be_loaded_is_told_at_the_start(
    start: Callable[..., ChildWorkers], default_pack: ModelPack
) -> None:
    ModelPack.objects.filter(pk=default_pack.pk).update(digest="f" * 64)
    with pytest.raises(StartFailed, match="not the one that the gallery was"):
        start()
    assert processes() == []


def test_a_program_that_is_no_recognition_is_told_at_the_start(environment: dict[str, str]) -> None:
    with pytest.raises(StartFailed, match="gave no reason"):
        ChildWorkers((sys.executable, "-c", ""), environment, lambda: (1,))


def test_what_was_taken_is_answered_before_the_end_and_no_process_stays(start: Callable[..., ChildWorkers]) -> None:
    workers = start(1)
    (process,) = processes()
    answers = [submit(workers) for _ in range(3)]
    workers.stop()
    assert [each.get_nowait().status for each in answers] == [FrameStatus.ANALYSED] * 3
    assert not process.is_running()
    assert status_of_a_frame(workers) is FrameStatus.FAILED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_every_process_ends_no_child_before_its_parent_does(
    start: Callable[..., ChildWorkers], number: signal.Signals
) -> None:
    workers = start()
    (process,) = processes()
    process.send_signal(number)
    assert status_of_a_frame(workers) is FrameStatus.ANALYSED
    assert processes() == [process]


class TestAChildThatDies:
    def test_fails_what_it_had_in_hand_and_comes_back(self, start: Callable[..., ChildWorkers]) -> None:
        workers = start(1)
        (process,) = processes()
        process.suspend()
        in_hand, waiting = submit(workers), submit(workers)
        process.kill()
        assert [each.get(timeout=DEADLINE_S).status for each in (in_hand, waiting)] == [FrameStatus.FAILED] * 2
        wait_until_recognising(workers)
        assert [again.pid != process.pid for again in processes()] == [True]

    def test_is_explained_to_whoever_brings_a_photo(
        self, start: Callable[..., ChildWorkers], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workers = start()
        monkeypatch.setattr(children, "BACK_OFF_S", (DEADLINE_S,))
        processes()[0].kill()
        deadline, said = time.monotonic() + DEADLINE_S, ""
        # Until it is known that the process died, a photo only fails.
        while "being started again" not in said:
            assert time.monotonic() < deadline, said
            with pytest.raises(AnalyserUnavailable) as refused:
                workers.analyse(faces.jpeg(faces.astronaut()))
            said = str(refused.value)

    def test_leaves_the_work_to_the_others(
        self, start: Callable[..., ChildWorkers], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workers = start(1, 1)
        monkeypatch.setattr(children, "BACK_OFF_S", (DEADLINE_S,))
        wait_for_processes(2)
        first, _ = sorted(processes(), key=lambda process: process.create_time())
        first.kill()
        wait_until_recognising(workers)
        assert len(processes()) == 1


class TestAChildThatHangs:
    def test_fails_its_frame_in_time_and_is_replaced(
        self, start: Callable[..., ChildWorkers], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(children, "FRAME_TIMEOUT_S", 0.1)
        workers = start(1)
        (process,) = processes()
        process.suspend()
        assert status_of_a_frame(workers) is FrameStatus.FAILED
        assert process.is_running()
        process.resume()
        monkeypatch.setattr(children, "FRAME_HANG_S", 1.0)
        wait_until_recognising(workers)
        process.suspend()
        assert status_of_a_frame(workers) is FrameStatus.FAILED
        wait_until_gone(process.pid)
        monkeypatch.setattr(children, "FRAME_TIMEOUT_S", DEADLINE_S)
        wait_until_recognising(workers)

    def test_does_not_hold_up_the_end(
        self, start: Callable[..., ChildWorkers], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(children, "STOP_TIMEOUT_S", 0.1)
        workers = start()
        (process,) = processes()
        process.suspend()
        answer = submit(workers)
        workers.stop()
        assert answer.get(timeout=DEADLINE_S).status is FrameStatus.FAILED
        wait_until_gone(process.pid)


def test_a_photo_that_takes_too_long_is_given_up(
    start: Callable[..., ChildWorkers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "PHOTO_TIMEOUT_S", 0.1)
    workers = start()
    processes()[0].suspend()
    with pytest.raises(AnalyserUnavailable, match="not in time"):
        workers.analyse(faces.jpeg(np.zeros((50, 50, 3), np.uint8)))


def test_a_child_holds_no_end_that_its_parent_holds(start: Callable[..., ChildWorkers]) -> None:
    # A second holder would keep a connection open whose first one has died.
    start(1, 1)
    wait_for_processes(2)
    deadline = time.monotonic() + DEADLINE_S
    # The parent lets go of a child's ends only when the child has begun.
    while any(sockets_of(process) & sockets_of(psutil.Process()) for process in processes()):
        assert time.monotonic() < deadline, "a connection has two holders"
        time.sleep(POLL_INTERVAL_S)
    assert len(processes()) == 2


def test_threads_of_the_parent_end_with_its_children(start: Callable[..., ChildWorkers]) -> None:
    before = set(threading.enumerate())
    start().stop()
    deadline = time.monotonic() + DEADLINE_S
    while set(threading.enumerate()) - before:
        assert time.monotonic() < deadline
        time.sleep(POLL_INTERVAL_S)
