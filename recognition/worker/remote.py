"""A worker process: takes frames and photos of all web processes from Redis."""

from __future__ import annotations

import logging
import socket
import threading
import time

import redis
from django import db

from recognition.services import wire
from recognition.services.remote import FRAME_TIMEOUT_S, HEARTBEATS, POLL_S, RECONNECT_S, REPLIES_TTL_S, REQUESTS
from recognition.services.wire import Reply, Request
from recognition.worker.recogniser import Recogniser

logger = logging.getLogger(__name__)


HEARTBEAT_INTERVAL_S = 5.0
HEARTBEAT_TTL_S = 15


def is_alive(redis_url: str) -> bool:
    """Whether a worker of this host has told within the last quarter of a minute that it lives."""
    with redis.Redis.from_url(redis_url) as client:
        try:
            return bool(client.exists(_heartbeat_key()))
        except redis.RedisError:
            return False


def _heartbeat_key() -> str:
    return f"{HEARTBEATS}{socket.gethostname()}"


class RedisWorker:
    """A few threads, each on one core, that take one request of Redis after the other."""

    def __init__(self, redis_url: str, recogniser: Recogniser, threads: int) -> None:
        """Starts the threads.

        Args:
            redis_url: as redis-py takes it.
            recogniser: does the work.
            threads: how many requests are taken at once.
        """
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=None)
        self._recogniser = recogniser
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"recognition-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def beat(self) -> None:
        """Tells that this worker lives; see `is_alive`."""
        try:
            self._redis.set(_heartbeat_key(), 1, ex=HEARTBEAT_TTL_S)
        except redis.RedisError as error:
            logger.error("Redis does not answer: %s", error)

    def stop(self) -> None:
        """Finishes the requests in hand and ends the threads."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._redis.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                popped = self._redis.blpop([REQUESTS], timeout=POLL_S)
                if popped is not None:
                    self._serve(wire.decode_request(popped[1]))
            except redis.RedisError as error:
                logger.error("Redis does not answer: %s", error)
                self._stopping.wait(RECONNECT_S)
            except wire.WireError:
                logger.exception("a request was not understood")
        db.connections.close_all()

    def _serve(self, request: Request) -> None:
        if request.frame is not None and time.time() - request.sent_at > FRAME_TIMEOUT_S:
            # Its session was told that it failed and has sent newer ones.
            return
        outcome = self._recogniser.answer(request)
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.rpush(request.reply_to, wire.encode(Reply(request.id, outcome)))
            pipeline.expire(request.reply_to, REPLIES_TTL_S)
            pipeline.execute()
