"""Jobs on lanes, with the other end of each lane in the test's own hands."""

from __future__ import annotations

import logging
import queue
import socket
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait

import pytest

from recognition.services import wire
from recognition.services.frames import SITE_WIDE, FrameOutcome, FrameStatus
from recognition.services.lanes import AT_ONCE_BYTES, Job, Lane, Lanes, Outcome
from recognition.services.wire import Reply, Request

PATIENCE_S = 20.0

FAILED = FrameOutcome(FrameStatus.FAILED)
UNREADABLE = FrameOutcome(FrameStatus.UNREADABLE)


class There:
    """The other end of a lane, as a recognition process holds it."""

    def __init__(self, connection: Connection, lane: Lane) -> None:
        self.connection = connection
        self.lane = lane

    def takes(self) -> Request:
        assert self.connection.poll(PATIENCE_S)
        return wire.decode_request(self.connection.recv_bytes())

    def has_nothing(self) -> bool:
        return not self.connection.poll(0)

    def answers(self, outcome: Outcome = UNREADABLE) -> None:
        self.connection.send_bytes(wire.encode(Reply("", outcome)))


class Answers:
    """Outcomes of the frames that a test submitted, in the order they came."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._came: queue.Queue[Outcome] = queue.Queue()

    def submit(self, image: bytes = b"", *, received_at: float = 0.0, timeout_s: float = 2.0) -> None:
        self._lanes.submit(Job(image, (), SITE_WIDE, received_at, FAILED, timeout_s, 30.0, self._came.put))

    def next(self) -> Outcome:
        return self._came.get(timeout=PATIENCE_S)

    def none_came(self) -> bool:
        return self._came.empty()


@pytest.fixture
def lanes() -> Lanes:
    return Lanes()


@pytest.fixture
def answers(lanes: Lanes) -> Answers:
    return Answers(lanes)


@pytest.fixture
def there(lanes: Lanes, request: pytest.FixtureRequest) -> Iterator[list[There]]:
    """Two lanes, or as many as the test says."""
    ends = []
    for _ in range(getattr(request, "param", 2)):
        here, far = socket.socketpair()
        ends.append(There(Connection(far.detach()), lanes.add(Connection(here.detach()))))
    yield ends
    for end in ends:
        end.connection.close()
        lanes.remove(end.lane)
        end.lane.join(PATIENCE_S)


one_lane = pytest.mark.parametrize("there", [1], indirect=True)


def test_without_lanes_a_job_fails_at_once(lanes: Lanes, answers: Answers) -> None:
    assert not lanes.are_up
    answers.submit()
    assert answers.next() is FAILED


@one_lane
def test_a_job_goes_out_and_its_answer_comes_back(there: list[There], lanes: Lanes, answers: Answers) -> None:
    assert lanes.are_up
    answers.submit(b"a jpeg")
    assert there[0].takes().image == b"a jpeg"
    there[0].answers()
    assert answers.next() == UNREADABLE


def test_a_job_alone_may_have_all_cores_and_the_next_one_beside_it_not(there: list[There], answers: Answers) -> None:
    answers.submit(b"1")
    alone = there[1].takes()
    answers.submit(b"2")
    beside = there[0].takes()
    assert [(alone.image, alone.wide), (beside.image, beside.wide)] == [(b"1", True), (b"2", False)]
    for end in there:
        end.answers()
        answers.next()
    answers.submit(b"3")
    # Either lane may have become idle last.
    ready = wait([end.connection for end in there], PATIENCE_S)
    assert [end.takes().wide for end in there if end.connection in ready] == [True]


@one_lane
def test_jobs_wait_for_a_lane_in_the_order_they_came(there: list[There], answers: Answers) -> None:
    for image in (b"1", b"2", b"3"):
        answers.submit(image)
    for image in (b"1", b"2", b"3"):
        assert there[0].takes().image == image
        assert there[0].has_nothing()
        there[0].answers()
        assert answers.next() == UNREADABLE


@one_lane
def test_a_job_larger_than_a_buffer_goes_out_too(there: list[There], answers: Answers) -> None:
    for size in (AT_ONCE_BYTES, AT_ONCE_BYTES + 1, 20 * 1024 * 1024):
        answers.submit(bytes(size))
        assert len(there[0].takes().image) == size
        there[0].answers()
        assert answers.next() == UNREADABLE


@one_lane
def test_whoever_hears_an_answer_finds_the_lane_idle(there: list[There], lanes: Lanes, answers: Answers) -> None:
    came: queue.Queue[Outcome] = queue.Queue()

    def submit_another(_: Outcome) -> None:
        lanes.submit(Job(b"2", (), SITE_WIDE, 0.0, FAILED, 2.0, 30.0, came.put))

    lanes.submit(Job(b"1", (), SITE_WIDE, 0.0, FAILED, 2.0, 30.0, submit_another))
    for image in (b"1", b"2"):
        request = there[0].takes()
        assert (request.image, request.wide) == (image, True)
        there[0].answers()
    assert came.get(timeout=PATIENCE_S) == UNREADABLE


@one_lane
def test_a_job_tells_how_long_it_waited(there: list[There], answers: Answers) -> None:
    answers.submit(received_at=0.0)
    assert there[0].takes().waited_s > 0


def test_what_a_lost_lane_had_in_hand_fails_and_others_serve_on(there: list[There], answers: Answers) -> None:
    answers.submit(b"1")
    there[1].takes()
    there[1].connection.close()
    assert answers.next() is FAILED
    there[1].lane.join(PATIENCE_S)
    answers.submit(b"2")
    assert there[0].takes().image == b"2"
    there[0].answers()
    assert answers.next() == UNREADABLE


@one_lane
def test_the_last_lane_takes_what_waits_with_it(there: list[There], lanes: Lanes, answers: Answers) -> None:
    answers.submit(b"1")
    answers.submit(b"2")
    there[0].takes()
    there[0].connection.close()
    assert [answers.next(), answers.next()] == [FAILED, FAILED]
    assert not lanes.are_up


@one_lane
def test_a_new_lane_takes_what_waits(there: list[There], lanes: Lanes, answers: Answers) -> None:
    answers.submit(b"1")
    answers.submit(b"2")
    there[0].takes()
    here, far = socket.socketpair()
    second = There(Connection(far.detach()), lanes.add(Connection(here.detach())))
    assert second.takes().image == b"2"
    second.connection.close()
    lanes.remove(second.lane)
    second.lane.join(PATIENCE_S)
    assert answers.next() is FAILED


@one_lane
def test_a_reply_that_is_none_fails_the_job_and_not_the_lane(
    there: list[There], answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    answers.submit()
    there[0].takes()
    with caplog.at_level(logging.ERROR):
        there[0].connection.send_bytes(b"noise")
        assert answers.next() is FAILED
    answers.submit()
    there[0].takes()
    there[0].answers()
    assert answers.next() == UNREADABLE


@one_lane
def test_survives_whoever_asked_and_is_gone(
    there: list[There], lanes: Lanes, answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    def raising(_: Outcome) -> None:
        raise RuntimeError("the session is broken")

    lanes.submit(Job(b"", (), SITE_WIDE, 0.0, FAILED, 2.0, 30.0, raising))
    answers.submit()
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            there[0].takes()
            there[0].answers()
        assert answers.next() == UNREADABLE
    assert "found nobody" in caplog.text


class TestTime:
    @one_lane
    def test_a_job_in_hand_fails_when_its_time_is_up_and_a_late_answer_is_nobodys(
        self, there: list[There], answers: Answers
    ) -> None:
        answers.submit(b"1", received_at=100.0)
        there[0].takes()
        there[0].lane.expire(102.0)
        assert answers.none_came()
        there[0].lane.expire(102.1)
        assert answers.next() is FAILED
        there[0].answers()
        answers.submit(b"2")
        assert there[0].takes().image == b"2"
        assert answers.none_came()

    @one_lane
    def test_a_job_that_waits_fails_when_its_time_is_up(
        self, there: list[There], lanes: Lanes, answers: Answers
    ) -> None:
        answers.submit(b"1", received_at=100.0, timeout_s=60.0)
        answers.submit(b"2", received_at=100.0)
        there[0].takes()
        lanes.expire(102.0)
        assert answers.none_came()
        lanes.expire(102.1)
        assert answers.next() is FAILED
        there[0].answers()
        assert answers.next() == UNREADABLE
        assert there[0].has_nothing()

    @one_lane
    def test_a_lane_hangs_when_it_has_a_job_for_too_long(self, there: list[There], answers: Answers) -> None:
        assert not there[0].lane.hangs(1e12)
        answers.submit()
        there[0].takes()
        assert not there[0].lane.hangs(0.0)
        assert there[0].lane.hangs(1e12)


class TestStop:
    @one_lane
    def test_what_was_taken_is_answered_and_nothing_more_is_taken(
        self, there: list[There], lanes: Lanes, answers: Answers
    ) -> None:
        for image in (b"1", b"2"):
            answers.submit(image)
        lanes.stop()
        answers.submit(b"3")
        assert answers.next() is FAILED
        for image in (b"1", b"2"):
            assert there[0].takes().image == image
            there[0].answers()
            assert answers.next() == UNREADABLE
        with pytest.raises(EOFError):
            there[0].connection.recv_bytes()

    def test_idle_lanes_end_at_once(self, there: list[There], lanes: Lanes) -> None:
        lanes.stop()
        for end in there:
            with pytest.raises(EOFError):
                end.connection.recv_bytes()
