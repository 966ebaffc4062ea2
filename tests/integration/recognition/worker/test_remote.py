"""Frames and photos through a real Redis, to workers that come and go."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis

from recognition.services import meeting, wire
from recognition.services.analysis import AnalyserUnavailable
from recognition.services.frames import FrameOutcome, FrameStatus, FrameTask
from recognition.services.meeting import REQUESTS
from recognition.services.remote import FRAME_TIMEOUT_S, RemoteWorkers
from recognition.services.wire import Request
from recognition.vision.errors import UnreadableImage
from recognition.vision.images import encode_jpeg
from recognition.worker import recogniser, remote
from recognition.worker.recogniser import Recogniser
from recognition.worker.remote import RedisWorker
from tests import faces

pytestmark = pytest.mark.django_db(transaction=True)

DEADLINE_S = 60.0

FOR_A_FRAME = ("rpush", "blmove", "blpop", "del")
BY_THE_CLOCK = ("time", "hset", "set", "expire", "hgetall", "mget", "config|resetstat", "info", "client|setinfo")


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """An empty Redis."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture
def worker(redis_url: str) -> Iterator[None]:
    """A worker as another process would run it, with real models."""
    feeding = RedisWorker(redis_url, recogniser.start(), 1)
    with beating(feeding):
        yield


@pytest.fixture
def workers(request: pytest.FixtureRequest, redis_url: str) -> Iterator[RemoteWorkers]:
    """The web side of a process; after `worker`, where there is one, and so aware of it."""
    if "worker" in request.fixturenames:
        request.getfixturevalue("worker")
    sending = RemoteWorkers(redis_url)
    yield sending
    sending.stop()


@contextlib.contextmanager
def beating(worker: RedisWorker) -> Iterator[None]:
    """A worker that says that it lives, as the command does, and stops in the end."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(meeting.HEARTBEAT_INTERVAL_S):
            worker.beat()

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        worker.stop()


class SlowRecogniser(Recogniser):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.answered: list[bytes] = []

    def answer(self, request: Request, look: object = None) -> FrameOutcome:
        self.asked.set()
        assert self.may_answer.wait(DEADLINE_S)
        self.answered.append(request.image)
        return FrameOutcome(FrameStatus.ANALYSED)


def begun(workers: RemoteWorkers, jpeg: bytes) -> concurrent.futures.Future[FrameOutcome]:
    """A frame sent."""
    future: concurrent.futures.Future[FrameOutcome] = concurrent.futures.Future()
    workers.submit(FrameTask(jpeg, (), time.monotonic()), future.set_result)
    return future


def sent(workers: RemoteWorkers, jpeg: bytes) -> FrameOutcome:
    """A frame sent and its outcome, however long it takes."""
    return begun(workers, jpeg).result(DEADLINE_S)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


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


def test_without_any_worker_a_frame_fails_at_once_and_is_sent_to_nobody(workers: RemoteWorkers, redis_url: str) -> None:
    assert not workers.is_up()
    begin = time.monotonic()
    assert sent(workers, b"frame").status is FrameStatus.FAILED
    assert time.monotonic() - begin < 0.5
    with redis.Redis.from_url(redis_url) as client:
        assert not client.exists(REQUESTS)


def test_a_photo_without_any_worker_says_so(workers: RemoteWorkers) -> None:
    with pytest.raises(AnalyserUnavailable, match="No recognition worker answers"):
        workers.analyse(encode_jpeg(faces.astronaut()))


def test_without_redis_there_is_nobody(unused_port: int, caplog: pytest.LogCaptureFixture) -> None:
    workers = RemoteWorkers(f"redis://127.0.0.1:{unused_port}/0")
    assert not workers.is_up()
    assert sent(workers, b"frame").status is FrameStatus.FAILED
    workers.stop()
    assert [record.message.partition(":")[0] for record in caplog.records] == ["Redis does not answer"]


def test_workers_join_and_leave_and_nobody_registers_them(redis_url: str) -> None:
    workers = RemoteWorkers(redis_url)
    slow = SlowRecogniser()
    slow.may_answer.set()
    for _ in range(2):
        assert not workers.is_up()
        with beating(RedisWorker(redis_url, slow, 1)):
            wait_until(workers.is_up)
            assert remote.is_alive(redis_url)
            assert sent(workers, b"frame").status is FrameStatus.ANALYSED
        wait_until(lambda: not workers.is_up())
        assert not remote.is_alive(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        assert client.keys("*") == []
    workers.stop()


def test_a_worker_that_stops_finishes_what_it_has_in_hand(redis_url: str) -> None:
    slow = SlowRecogniser()
    worker = RedisWorker(redis_url, slow, 1)
    workers = RemoteWorkers(redis_url)
    outcome = begun(workers, b"frame")
    assert slow.asked.wait(DEADLINE_S)
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    slow.may_answer.set()
    assert outcome.result(DEADLINE_S).status is FrameStatus.ANALYSED
    stopping.join(DEADLINE_S)
    workers.stop()


def test_what_a_dead_worker_had_in_hand_fails_before_its_time_and_the_rest_goes_to_another(redis_url: str) -> None:
    dying, other = SlowRecogniser(), SlowRecogniser()
    # Without heartbeats it is as good as dead.
    dead = RedisWorker(redis_url, dying, 1)
    workers = RemoteWorkers(redis_url)
    begin = time.monotonic()
    in_hand = begun(workers, b"in hand")
    assert dying.asked.wait(DEADLINE_S)
    waiting = begun(workers, b"waiting")
    other.may_answer.set()
    with beating(RedisWorker(redis_url, other, 1)):
        assert waiting.result(DEADLINE_S).status is FrameStatus.ANALYSED
        assert in_hand.result(DEADLINE_S).status is FrameStatus.FAILED
        assert time.monotonic() - begin < FRAME_TIMEOUT_S
        assert other.answered == [b"waiting"]
        dying.may_answer.set()
        dead.stop()
        assert sent(workers, b"after").status is FrameStatus.ANALYSED
    workers.stop()


def test_a_frame_that_is_too_old_is_never_looked_at(redis_url: str) -> None:
    slow = SlowRecogniser()
    slow.may_answer.set()
    with redis.Redis.from_url(redis_url) as client:
        # By the time of Redis, which is everybody's.
        now = client.time()[0]
        for sent_at in (now - FRAME_TIMEOUT_S - 1, now):
            request = Request("1", "faceweb:replies:test", sent_at, (), str(sent_at).encode())
            client.rpush(REQUESTS, wire.encode(request))
        with beating(RedisWorker(redis_url, slow, 1)):
            assert client.blpop(["faceweb:replies:test"], timeout=int(DEADLINE_S)) is not None
    assert slow.answered == [str(now).encode()]


def test_a_frame_costs_five_commands(redis_url: str) -> None:
    slow = SlowRecogniser()
    slow.may_answer.set()
    with (
        redis.Redis.from_url(redis_url) as client,
        beating(RedisWorker(redis_url, slow, 1)),
    ):
        workers = RemoteWorkers(redis_url)
        assert sent(workers, b"frame").status is FrameStatus.ANALYSED
        client.config_resetstat()
        for _ in range(50):
            assert sent(workers, b"frame").status is FrameStatus.ANALYSED
        calls = {name: int(stats["calls"]) for name, stats in client.info("commandstats").items()}
        workers.stop()
    assert {name: round(calls[f"cmdstat_{name}"] / 50, 1) for name in ("rpush", "blmove", "blpop", "del")} == {
        "rpush": 2.0,  # the request and the reply
        "blmove": 1.0,
        "blpop": 1.0,
        "del": 1.0,
    }
    # Heartbeats and looks come by the clock, not by the frame.
    assert set(calls) <= {f"cmdstat_{name}" for name in (*FOR_A_FRAME, *BY_THE_CLOCK)}


@pytest.mark.usefixtures("worker")
def test_noise_in_the_queue_stops_no_worker(workers: RemoteWorkers, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.rpush(REQUESTS, b"noise")

    assert len(workers.analyse(encode_jpeg(faces.astronaut()))) == 1
