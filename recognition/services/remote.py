"""Workers in other processes, reached through Redis: one list of requests, one of replies a process.

Five commands a frame: push and blocking move there, push and blocking pop back, and one that empties the worker's hand.
A worker that dies takes the frames in its hands with it; they are answered as failed as soon as anybody notices, and
the next ones go to another.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import logging
import math
import queue
import threading
import time
import uuid
from collections.abc import Callable

import redis
from django.utils.translation import gettext

from recognition.services import meeting, wire
from recognition.services.frames import SITE_WIDE, Backlog, FrameOutcome, FrameStatus, FrameTask, SearchScope, TrackHint
from recognition.services.meeting import POLL_S, RECONNECT_S, REQUESTS, SharedClock
from recognition.services.wire import PhotoOutcome, PhotoStatus, Reply, Request
from recognition.vision import images
from recognition.vision.types import EmbeddedFace

logger = logging.getLogger(__name__)

FRAME_TIMEOUT_S = 2.0
"""A frame without a reply for this long is answered as failed, and no worker looks at it any more."""

PHOTO_TIMEOUT_S = 60.0
REPLIES_TTL_S = 120
"""How long replies to a process that died are kept."""

Done = Callable[[FrameOutcome | PhotoOutcome], None]


@dataclasses.dataclass(slots=True)
class _Pending:
    done: Done
    failed: FrameOutcome | PhotoOutcome
    sent_at: float
    expires_at: float


class RemoteWorkers:
    """This process's way to all workers; the same two ports that a worker in this process fills."""

    def __init__(self, redis_url: str) -> None:
        """Looks who is there, and starts threads that send, receive, and go on looking.

        Args:
            redis_url: as redis-py takes it.
        """
        self._redis = meeting.connect(redis_url)
        self._clock = SharedClock()
        self._redis_answers = True
        self._anybody_lives = False
        self._reply_to = f"faceweb:replies:{uuid.uuid4().hex}"
        self._outgoing: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._pending: dict[str, _Pending] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=f"remote-{work.__name__}", daemon=True)
            for work in (self._send, self._receive, self._watch)
        ]
        self._look()
        for thread in self._threads:
            thread.start()

    def submit(self, task: FrameTask, done: Callable[[FrameOutcome], None]) -> None:
        """Sends a frame; see `services.frames.FrameWorker`."""

        def finish(outcome: FrameOutcome | PhotoOutcome) -> None:
            done(outcome if isinstance(outcome, FrameOutcome) else FrameOutcome(FrameStatus.FAILED))

        self._request(task.jpeg, task.hints, finish, FrameOutcome(FrameStatus.FAILED), FRAME_TIMEOUT_S, task.scope)

    def prepare(self, jpeg: bytes, scope: SearchScope) -> None:
        """Does nothing: any worker may take the frame, so none could be told to look at it."""

    def backlog(self) -> Backlog:
        """What no worker has answered yet; see `services.frames.FrameWorker`."""
        now = time.monotonic()
        with self._lock:
            sent = [pending.sent_at for pending in self._pending.values()]
        return Backlog(len(sent), now - min(sent, default=now))

    def analyse(self, data: bytes) -> tuple[EmbeddedFace, ...]:
        """Sends a photo and waits; see `services.analysis.StillImageAnalyser`."""
        images.read_header(data)
        future: concurrent.futures.Future[FrameOutcome | PhotoOutcome] = concurrent.futures.Future()
        self._request(data, None, future.set_result, PhotoOutcome(PhotoStatus.FAILED), PHOTO_TIMEOUT_S)
        outcome = future.result()
        if not isinstance(outcome, PhotoOutcome):
            outcome = PhotoOutcome(PhotoStatus.FAILED)
        return outcome.faces_or_error(
            gettext("No recognition worker answers. Ask whoever runs the system to start one.")
        )

    def is_up(self) -> bool:
        """Whether a worker lives, on any host; see `services.analysis.StillImageAnalyser`."""
        return self._anybody_lives

    def stop(self) -> None:
        """Ends the threads and answers what is pending as failed."""
        self._stopping.set()
        self._outgoing.put(None)
        for thread in self._threads:
            thread.join()
        self._expire(math.inf)
        self._redis.close()

    def _request(
        self,
        image: bytes,
        hints: tuple[TrackHint, ...] | None,
        done: Done,
        failed: FrameOutcome | PhotoOutcome,
        timeout_s: float,
        scope: SearchScope = SITE_WIDE,
    ) -> None:
        number = uuid.uuid4().hex
        now = time.monotonic()
        with self._lock:
            self._pending[number] = _Pending(done, failed, now, now + timeout_s)
        # Where nobody would take it, it fails at once: whoever asks need not wait to be told so.
        if self._anybody_lives:
            self._outgoing.put(Request(number, self._reply_to, self._clock.now(), hints, image, scope))
        else:
            self._finish(number, None)

    def _send(self) -> None:
        while (request := self._outgoing.get()) is not None:
            try:
                self._redis.rpush(REQUESTS, wire.encode(request))
            except redis.RedisError as error:
                logger.error("a request could not be sent to Redis: %s", error)
                self._finish(request.id, None)

    def _receive(self) -> None:
        while not self._stopping.is_set():
            try:
                popped = self._redis.blpop([self._reply_to], timeout=POLL_S)
                if popped is not None:
                    reply = wire.decode_reply(popped[1])
                    self._finish(reply.id, reply.outcome)
            except redis.RedisError:
                # The thread that looks who is there says so.
                self._stopping.wait(RECONNECT_S)
            except wire.WireError:
                logger.exception("a reply was not understood")

    def _watch(self) -> None:
        while not self._stopping.wait(meeting.WATCH_INTERVAL_S):
            self._look()
            self._expire(time.monotonic() if self._anybody_lives else math.inf)

    def _look(self) -> None:
        """Finds out whether any worker lives, and answers for those that died."""
        try:
            roll = meeting.call_the_roll(client=self._redis, clock=self._clock)
            for worker, threads in roll.dead.items():
                logger.error("the recognition worker %s has gone without a word", worker)
                self._answer_for(worker, threads)
            self._redis_answers, self._anybody_lives = True, bool(roll.living)
        except redis.RedisError as error:
            if self._redis_answers:
                logger.error("Redis does not answer: %s", error)
            self._redis_answers = self._anybody_lives = False

    def _answer_for(self, worker: str, threads: int) -> None:
        """Answers as failed what a dead worker had in hand, to whichever processes asked; then forgets it."""
        for thread in range(threads):
            # Whichever process takes it out of the hand answers; the others find nothing.
            message = self._redis.lpop(meeting.hands(worker=worker, thread=thread))
            if not isinstance(message, bytes):
                continue
            try:
                request = wire.decode_request(message)
            except wire.WireError:
                continue
            failed = FrameOutcome(FrameStatus.FAILED) if request.frame is not None else PhotoOutcome(PhotoStatus.FAILED)
            self._redis.rpush(request.reply_to, wire.encode(Reply(request.id, failed)))
            self._redis.expire(request.reply_to, REPLIES_TTL_S)
        self._redis.hdel(meeting.WORKERS, worker)

    def _finish(self, number: str, outcome: FrameOutcome | PhotoOutcome | None) -> None:
        with self._lock:
            pending = self._pending.pop(number, None)
        # A reply after its time was answered as failed already.
        if pending is not None:
            pending.done(pending.failed if outcome is None else outcome)

    def _expire(self, now: float) -> None:
        with self._lock:
            late = [number for number, pending in self._pending.items() if pending.expires_at <= now]
        for number in late:
            self._finish(number, None)
