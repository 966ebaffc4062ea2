"""A worker process: takes frames and photos of all web processes from Redis."""

from __future__ import annotations

import logging
import os
import socket
import threading

import redis
from django import db

from recognition.services import meeting, wire
from recognition.services.meeting import POLL_S, RECONNECT_S, REQUESTS, SharedClock
from recognition.services.remote import FRAME_TIMEOUT_S, PHOTO_TIMEOUT_S, REPLIES_TTL_S
from recognition.services.wire import Reply
from recognition.worker.recogniser import Recogniser

logger = logging.getLogger(__name__)


def is_alive(redis_url: str) -> bool:
    """Whether a worker of this host lives."""
    with meeting.connect(redis_url) as client:
        try:
            roll = meeting.call_the_roll(client=client, clock=SharedClock())
        except redis.RedisError:
            return False
    return any(name.startswith(_of_this_host()) for name in roll.living)


def _of_this_host() -> str:
    return f"{socket.gethostname()}:"


class RedisWorker:
    """A few threads, each on one core, that take one request of Redis after the other."""

    def __init__(self, redis_url: str, recogniser: Recogniser, threads: int) -> None:
        """Says that it is there, and starts the threads.

        Args:
            redis_url: as redis-py takes it.
            recogniser: does the work.
            threads: how many requests are taken at once.
        """
        self._name = f"{_of_this_host()}{os.getpid()}:{os.urandom(4).hex()}"
        self._redis = meeting.connect(redis_url)
        self._clock = SharedClock()
        self._recogniser = recogniser
        self._stopping = threading.Event()
        self._answered: set[str] = set()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"recognition-{number}", daemon=True)
            for number in range(threads)
        ]
        self.beat()
        for thread in self._threads:
            thread.start()

    def beat(self) -> None:
        """Tells that this worker lives; to be called every `meeting.HEARTBEAT_INTERVAL_S`."""
        with self._lock:
            answered, self._answered = self._answered, set()
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.time()
                pipeline.hset(meeting.WORKERS, self._name, str(len(self._threads)))
                pipeline.set(meeting.heartbeat(self._name), 1, px=meeting.HEARTBEAT_TTL_MS)
                # Here, and not with each reply: a process that lives has taken its replies long before.
                for reply_to in answered:
                    pipeline.expire(reply_to, REPLIES_TTL_S)
                redis_time, *_ = pipeline.execute()
            self._clock.set(redis_time)
        except redis.RedisError as error:
            logger.error("Redis does not answer: %s", error)

    def stop(self) -> None:
        """Finishes the requests in hand, ends the threads, and takes its leave."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        try:
            self._redis.delete(meeting.heartbeat(self._name))
            self._redis.hdel(meeting.WORKERS, self._name)
        except redis.RedisError as error:
            logger.error("Redis does not answer: %s", error)
        self._redis.close()

    def _run(self, thread: int) -> None:
        reply: tuple[str, bytes] | None = None
        hand = meeting.hands(worker=self._name, thread=thread)
        is_full = False
        while is_full or not self._stopping.is_set():
            try:
                message = self._exchange(hand, reply, is_full=is_full)
            except redis.RedisError as error:
                logger.error("Redis does not answer: %s", error)
                # The reply is late by the time that Redis is back, and what the hand holds then was never received.
                reply, is_full = None, not self._stopping.wait(RECONNECT_S)
            else:
                reply, is_full = (self._answer(message), True) if message is not None else (None, False)
        db.connections.close_all()

    def _exchange(self, hand: str, reply: tuple[str, bytes] | None, *, is_full: bool) -> bytes | None:
        """Sends a reply, empties the hand and takes the next request into it, all in one round trip.

        Args:
            hand: list of what this thread has in hand.
            reply: where to, and what.
            is_full: whether there is something in the hand.

        Returns:
            The next request; None when none came in half a second, or this worker stops.
        """
        takes = not self._stopping.is_set()
        with self._redis.pipeline(transaction=False) as pipeline:
            if reply is not None:
                pipeline.rpush(*reply)
            if is_full:
                pipeline.delete(hand)
            if takes:
                pipeline.blmove(REQUESTS, hand, POLL_S, "LEFT", "RIGHT")  # type: ignore[arg-type]  # half a second is one
            results = pipeline.execute()
        return results[-1] if takes else None

    def _answer(self, message: bytes) -> tuple[str, bytes] | None:
        """The reply to a request, and where it goes; None for one that nobody waits for."""
        try:
            request = wire.decode_request(message)
        except wire.WireError:
            logger.exception("a request was not understood")
            return None
        timeout_s = PHOTO_TIMEOUT_S if request.frame is None else FRAME_TIMEOUT_S
        if self._clock.now() - request.sent_at > timeout_s:
            # Whoever sent it was told that it failed; a session has sent newer ones.
            return None
        outcome = self._recogniser.answer(request)
        with self._lock:
            self._answered.add(request.reply_to)
        return request.reply_to, wire.encode(Reply(request.id, outcome))
