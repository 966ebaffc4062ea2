"""Jobs on lanes, with the other end of each lane in the test's own hands."""

from __future__ import annotations

import logging
import queue
import socket
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from recognition.services import lanes as lanes_module
from recognition.services import wire
from recognition.services.frames import SITE_WIDE, Backlog, FrameOutcome, FrameStatus
from recognition.services.lanes import AHEAD_BYTES, AT_ONCE_BYTES, Job, Lane, Lanes, Outcome
from recognition.services.wire import Ahead, Reply, Request

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

    def looks_at(self) -> bytes:
        assert self.connection.poll(PATIENCE_S)
        message = wire.decode_lane_message(self.connection.recv_bytes())
        assert isinstance(message, Ahead)
        return message.image

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
        assert request.image == image
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


class TestAhead:
    def test_without_lanes_nothing_is_looked_at(self, lanes: Lanes) -> None:
        lanes.prepare(Ahead(b"1", SITE_WIDE))

    def test_an_idle_lane_looks_at_a_frame_and_gets_its_job_without_the_image(
        self, there: list[There], lanes: Lanes, answers: Answers
    ) -> None:
        answers.submit(b"1")
        assert there[1].takes().was_ahead is False
        lanes.prepare(Ahead(b"2", SITE_WIDE))
        assert there[0].looks_at() == b"2"
        there[1].answers()
        answers.next()
        # The other one became idle last, and would be the first to get any other job.
        answers.submit(b"2")
        asked = there[0].takes()
        assert (asked.image, asked.was_ahead) == (b"", True)
        there[0].answers()
        assert answers.next() == UNREADABLE

    @one_lane
    def test_a_busy_lane_is_left_alone(self, there: list[There], lanes: Lanes, answers: Answers) -> None:
        answers.submit(b"1")
        lanes.prepare(Ahead(b"2", SITE_WIDE))
        there[0].takes()
        assert there[0].has_nothing()

    @one_lane
    def test_a_lane_has_one_frame_ahead_and_no_large_one(self, there: list[There], lanes: Lanes) -> None:
        lanes.prepare(Ahead(bytes(AHEAD_BYTES + 1), SITE_WIDE))
        assert there[0].has_nothing()
        for image in (b"1", b"2"):
            lanes.prepare(Ahead(image, SITE_WIDE))
        assert there[0].looks_at() == b"1"
        assert there[0].has_nothing()

    def test_a_job_of_somebody_else_leaves_a_frame_ahead_where_it_can(
        self, there: list[There], lanes: Lanes, answers: Answers
    ) -> None:
        lanes.prepare(Ahead(b"ahead", SITE_WIDE))
        assert there[1].looks_at() == b"ahead"
        answers.submit(b"other")
        assert there[0].takes().image == b"other"
        answers.submit(b"one more")
        assert there[1].takes().image == b"one more"

    def test_a_frame_that_was_forgotten_for_another_job_is_sent_again(
        self, there: list[There], lanes: Lanes, answers: Answers
    ) -> None:
        lanes.prepare(Ahead(b"ahead", SITE_WIDE))
        for _ in there:
            answers.submit(b"other")
        assert there[1].looks_at() == b"ahead"
        there[1].takes()
        there[1].answers()
        answers.next()
        answers.submit(b"ahead")
        asked = there[1].takes()
        assert (asked.image, asked.was_ahead) == (b"ahead", False)

    def test_a_lane_whose_frame_nobody_asks_about_gets_the_next_job(
        self, there: list[There], lanes: Lanes, answers: Answers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lanes.prepare(Ahead(b"left", SITE_WIDE))
        assert there[1].looks_at() == b"left"
        monkeypatch.setattr(lanes_module, "AHEAD_S", 0.0)
        answers.submit(b"1")
        assert there[1].takes().image == b"1"


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


@one_lane
def test_what_waits_for_a_lane_is_counted_with_the_age_of_the_oldest(
    there: list[There], lanes: Lanes, answers: Answers
) -> None:
    assert lanes.backlog(100.0) == Backlog(0, 0.0)
    for received_at in (97.0, 98.0, 99.0):
        answers.submit(received_at=received_at)
    assert lanes.backlog(100.0) == Backlog(2, 2.0)
    there[0].takes()
    there[0].answers()
    answers.next()
    assert lanes.backlog(100.0) == Backlog(1, 1.0)
