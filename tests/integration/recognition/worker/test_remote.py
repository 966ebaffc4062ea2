"""Frames and photos through a real Redis, to workers that come and go."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest
import redis

from recognition.services.analysis import AnalyserUnavailable
from recognition.services.frames import FrameOutcome, FrameStatus, FrameTask
from recognition.services.remote import REQUESTS, RemoteWorkers
from recognition.vision.errors import UnreadableImage
from recognition.vision.images import encode_jpeg
from recognition.worker import recogniser
from recognition.worker.remote import RedisWorker
from tests import faces

pytestmark = pytest.mark.django_db(transaction=True)

DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--save",
        "",
        "--dir",
        str(tmp_path_factory.mktemp("redis")),
    ]
    with subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL) as server:
        url = f"redis://127.0.0.1:{port}/0"
        deadline = time.monotonic() + DEADLINE_S
        with redis.Redis.from_url(url) as client:
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    assert time.monotonic() < deadline, "redis-server did not start"
        yield url
        server.terminate()


@pytest.fixture
def workers(redis_url: str) -> Iterator[RemoteWorkers]:
    """The web side of a process."""
    remote = RemoteWorkers(redis_url)
    yield remote
    remote.stop()


@pytest.fixture
def worker(redis_url: str) -> Iterator[None]:
    """A worker as another process would run it, with real models."""
    feeding = RedisWorker(redis_url, recogniser.start(), 1)
    yield
    feeding.stop()


def sent(workers: RemoteWorkers, jpeg: bytes) -> FrameOutcome:
    """A frame sent and its outcome, however long it takes."""
    outcomes: list[FrameOutcome] = []
    arrived = threading.Event()

    def done(outcome: FrameOutcome) -> None:
        outcomes.append(outcome)
        arrived.set()

    workers.submit(FrameTask(jpeg, (), time.monotonic()), done)
    assert arrived.wait(DEADLINE_S)
    return outcomes[0]


@pytest.mark.usefixtures("worker")
def test_a_frame_is_analysed_by_a_worker_elsewhere(workers: RemoteWorkers) -> None:
    outcome = sent(workers, encode_jpeg(faces.astronaut()))

    assert outcome.status is FrameStatus.ANALYSED
    assert [seen.candidates is not None for seen in outcome.faces] == [True]
    assert outcome.active is not None
    assert outcome.active.name == "opencv-zoo"


@pytest.mark.usefixtures("worker")
def test_a_photo_is_analysed_by_a_worker_elsewhere(workers: RemoteWorkers) -> None:
    found = workers.analyse(encode_jpeg(faces.astronaut()))

    assert [face.embedding.dimension for face in found] == [128]


@pytest.mark.usefixtures("worker")
def test_a_damaged_photo_is_refused_as_in_one_process(workers: RemoteWorkers) -> None:
    with pytest.raises(UnreadableImage):
        workers.analyse(b"no image")


def test_a_frame_without_any_worker_fails_in_time_and_is_not_analysed_later(
    workers: RemoteWorkers, redis_url: str
) -> None:
    assert sent(workers, encode_jpeg(faces.astronaut())).status is FrameStatus.FAILED
    with redis.Redis.from_url(redis_url) as client:
        client.delete(REQUESTS)


def test_a_photo_without_any_worker_says_so(workers: RemoteWorkers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recognition.services.remote.PHOTO_TIMEOUT_S", 0.1)
    with pytest.raises(AnalyserUnavailable, match="No recognition worker answers"):
        workers.analyse(encode_jpeg(faces.astronaut()))


@pytest.mark.usefixtures("worker")
def test_noise_in_the_queue_stops_no_worker(workers: RemoteWorkers, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.rpush(REQUESTS, b"noise")

    assert len(workers.analyse(encode_jpeg(faces.astronaut()))) == 1
