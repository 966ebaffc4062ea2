"""Hands frames and photos to recognition in other processes of this machine, one at a time on each lane.

A lane is a connection, a thread here that waits for its answers, and a thread there that does the work.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import logging
import queue
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from recognition.services import wire
from recognition.services.frames import Backlog, FrameOutcome, SearchScope, TrackHint
from recognition.services.wire import Ahead, PhotoOutcome, Request

logger = logging.getLogger(__name__)

Outcome = FrameOutcome | PhotoOutcome


@dataclasses.dataclass(slots=True, eq=False)
class Job:
    """A frame or a photo with the time that it may take.

    Args:
        image: the file.
        hints: of a frame; None for a photo.
        scope: what a frame is looked at for.
        received_at: `time.monotonic()` when it came, in seconds.
        failed: what to answer when nobody does.
        timeout_s: after this long it is answered as failed.
        hang_s: a lane that has it for this long hangs.
        done: told the outcome, once; None from then on.
    """

    image: bytes
    hints: tuple[TrackHint, ...] | None
    scope: SearchScope
    received_at: float
    failed: Outcome
    timeout_s: float
    hang_s: float
    done: Callable[[Outcome], None] | None

    def answer(self, outcome: Outcome) -> None:
        """Tells the outcome, unless one was told before."""
        with _answering:
            done, self.done = self.done, None
        if done is None:
            return
        try:
            done(outcome)
        # One session's broken end must not end the lane of all.
        except Exception:
            logger.exception("the outcome of a recognition job found nobody")

    def request(self, now: float, *, was_ahead: bool) -> Request:
        """The job for the wire.

        Args:
            now: `time.monotonic()`, in seconds.
            was_ahead: whether the lane has the image.
        """
        image = b"" if was_ahead else self.image
        return Request("", "", 0.0, self.hints, image, self.scope, now - self.received_at, was_ahead)


_answering = threading.Lock()
"""Held for an instant: an answer may come in the moment that a job's time is up."""


AT_ONCE_BYTES = 96 * 1024
"""A job up to this size is sent by whoever submits it, so that nothing waits for a thread to wake up: an idle lane's
buffer takes that much without anybody reading. A larger one could hold an event loop up."""

AHEAD_BYTES = 64 * 1024
"""A frame up to this size is sent ahead: the buffer still has room for a job of `AT_ONCE_BYTES` then."""

AHEAD_S = 1.0
"""A session that has not asked about its frame by then has gone."""


class Lane:
    """One connection to a recognition process."""

    def __init__(self, connection: Connection, lanes: Lanes) -> None:
        """Starts its thread.

        Args:
            connection: to a thread that answers one request after the other; closed in the end.
            lanes: where it belongs.
        """
        self._connection = connection
        self._lanes = lanes
        self._inbox: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._in_hand: tuple[Job, float] | None = None
        # What was sent ahead, and when. Never two: a process that does not read must not hold its lane's sender up.
        self._ahead: tuple[bytes, float] | None = None
        self._thread = threading.Thread(target=self._run, name="lane", daemon=True)
        self._thread.start()

    def prepare(self, frame: Ahead) -> bool:
        """Sends a frame ahead; only for a lane that is idle. False where one is there already."""
        if self._ahead is not None:
            return False
        self._ahead = frame.image, time.monotonic()
        # As in `begin`.
        with contextlib.suppress(OSError):
            self._connection.send_bytes(wire.encode(frame))
        return True

    def fitness(self, image: bytes, now: float) -> int:
        """How well an idle lane suits a job, the higher the better.

        The one that has looked at its frame; else one whose frame nobody will ask about any more, which a job
        makes free for others; else one without a frame; last one whose frame a session will ask about.
        """
        if self._ahead is None:
            return 1
        if self._ahead[0] is image:
            return 3
        return 2 if now - self._ahead[1] > AHEAD_S else 0

    def begin(self, job: Job) -> None:
        """Takes a job; only for a lane that is idle."""
        if len(job.image) <= AT_ONCE_BYTES:
            # A process that has ended is noticed by the thread, which then answers the job.
            with contextlib.suppress(OSError):
                self._send(job)
        self._inbox.put(job)

    def end(self) -> None:
        """Ends the thread once it has nothing in hand."""
        self._inbox.put(None)

    def join(self, timeout_s: float) -> None:
        """Waits for the thread's end."""
        self._thread.join(timeout_s)

    def expire(self, now: float) -> None:
        """Answers what it has had in hand for too long as failed."""
        # Read once: the lane's own thread changes it.
        in_hand = self._in_hand
        if in_hand is not None:
            job, _ = in_hand
            if now - job.received_at > job.timeout_s:
                job.answer(job.failed)

    def hangs(self, now: float) -> bool:
        """Whether the process should have answered long ago."""
        in_hand = self._in_hand
        return in_hand is not None and now - in_hand[1] > in_hand[0].hang_s

    def _run(self) -> None:
        try:
            while (job := self._inbox.get()) is not None:
                if self._in_hand is None:
                    self._send(job)
                following: Job | None = job
                while following is not None:
                    following = self._finish(following)
        except (EOFError, OSError):
            # The process has ended; whoever keeps it says so.
            pass
        finally:
            self._lanes.remove(self)
            if self._in_hand is not None:
                job, _ = self._in_hand
                job.answer(job.failed)
            self._connection.close()

    def _finish(self, job: Job) -> Job | None:
        """Waits for the answer; the job that was begun after it, where one waited."""
        data = self._connection.recv_bytes()
        self._in_hand = None
        # Before the answer is told: the process has its next job sooner, and whoever hears the answer and
        # submits the next job finds this lane idle.
        following = self._lanes.following(self)
        try:
            if following is not None:
                self._send(following)
        finally:
            job.answer(_outcome(data) or job.failed)
        return following

    def _send(self, job: Job) -> None:
        now = time.monotonic()
        self._in_hand = job, now
        ahead, self._ahead = self._ahead, None
        was_ahead = ahead is not None and ahead[0] is job.image
        self._connection.send_bytes(wire.encode(job.request(now, was_ahead=was_ahead)))


def _outcome(data: bytes) -> Outcome | None:
    try:
        return wire.decode_reply(data).outcome
    except wire.WireError:
        logger.exception("a reply was not understood")
        return None


class Lanes:
    """All lanes of this process, and the jobs that wait for one; its methods may be called from any thread."""

    def __init__(self) -> None:
        """Starts without lanes: whatever is submitted fails."""
        self._lock = threading.Lock()
        self._all: set[Lane] = set()
        # In the order they became idle.
        self._idle: list[Lane] = []
        self._waiting: collections.deque[Job] = collections.deque()
        self._stopping = False

    @property
    def are_up(self) -> bool:
        """Whether any lane takes jobs."""
        return bool(self._all)

    def add(self, connection: Connection) -> Lane:
        """Takes a lane into use."""
        lane = Lane(connection, self)
        with self._lock:
            self._all.add(lane)
        following = self.following(lane)
        if following is not None:
            lane.begin(following)
        return lane

    def remove(self, lane: Lane) -> None:
        """Gives a lane up, also one that was given up before; the last one takes what waits with it."""
        with self._lock:
            self._all.discard(lane)
            if lane in self._idle:
                self._idle.remove(lane)
            lost = [] if self._all else list(self._waiting)
            if lost:
                self._waiting.clear()
        lane.end()
        for job in lost:
            job.answer(job.failed)

    def submit(self, job: Job) -> None:
        """Hands a job to an idle lane, or lets it wait for one; without any lane it fails at once."""
        with self._lock:
            if self._idle:
                now = time.monotonic()
                # Of equal ones the last that became idle: its process is warm.
                lane = max(reversed(self._idle), key=lambda lane: lane.fitness(job.image, now))
                self._idle.remove(lane)
                lane.begin(job)
                return
            if self._all and not self._stopping:
                self._waiting.append(job)
                return
        job.answer(job.failed)

    def prepare(self, frame: Ahead) -> None:
        """Has a frame looked at by an idle lane before it is submitted; does nothing where all are busy."""
        if len(frame.image) > AHEAD_BYTES:
            return
        with self._lock:
            for lane in reversed(self._idle):
                if lane.prepare(frame):
                    return

    def following(self, lane: Lane) -> Job | None:
        """The next job of a lane that has become free; the lane is idle when there is none."""
        with self._lock:
            if lane not in self._all:
                return None
            if self._waiting:
                return self._waiting.popleft()
            if self._stopping:
                lane.end()
            else:
                self._idle.append(lane)
            return None

    def expire(self, now: float) -> None:
        """Answers what has waited too long as failed."""
        with self._lock:
            late = [job for job in self._waiting if now - job.received_at > job.timeout_s]
            for job in late:
                self._waiting.remove(job)
        for job in late:
            job.answer(job.failed)

    def backlog(self, now: float) -> Backlog:
        """What waits for an idle lane at `time.monotonic()`."""
        with self._lock:
            oldest = self._waiting[0].received_at if self._waiting else now
            return Backlog(len(self._waiting), now - oldest)

    def stop(self) -> None:
        """Takes no more jobs; lanes end when everything that was taken is answered."""
        with self._lock:
            self._stopping = True
            idle, self._idle = self._idle, []
        for lane in idle:
            lane.end()
