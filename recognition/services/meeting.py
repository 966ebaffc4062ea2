"""What web processes and workers know of each other in Redis: which lists they use, who lives, what time it is.

A worker that lives says so three times a second, by a key that expires. What a thread of it has in hand lies in a list
of that thread, moved there by the very command that took it; so what a worker had in hand that died is known, and
whoever notices first answers in its place.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

REQUESTS = "faceweb:requests"
"""The list that every worker takes from."""

WORKERS = "faceweb:workers"
"""A hash: names of workers, and how many threads each has. It may name some that have died."""

HEARTBEAT_INTERVAL_S = 0.3
HEARTBEAT_TTL_MS = 1200
"""A worker that has said nothing for this long is dead: longer than a busy machine holds a thread up, and together with
`WATCH_INTERVAL_S` short enough that whoever stands before a camera waits less than two seconds."""

WATCH_INTERVAL_S = 0.2
"""How often each web process looks who lives."""

POLL_S = 0.5
"""How long one blocking command waits; a process that is to stop does so after the one that runs."""

ANSWER_TIMEOUT_S = 5.0
"""A Redis that has not answered by then is gone; more than any blocking command waits."""

RECONNECT_S = 0.5


def connect(redis_url: str) -> redis.Redis:
    """A client whose commands fail at once when Redis is away: its callers know better when to try again.

    Args:
        redis_url: as redis-py takes it.
    """
    # Without a limit the pool makes as many connections as threads ask for: each blocks on one of its own.
    return redis.Redis.from_url(redis_url, socket_timeout=ANSWER_TIMEOUT_S, retry=Retry(NoBackoff(), 0))


def heartbeat(worker: str) -> str:
    """The key that is there as long as a worker lives."""
    return f"faceweb:worker:{worker}"


def hands(*, worker: str, thread: int) -> str:
    """The list of what one thread of a worker has in hand: one request at most."""
    return f"faceweb:hands:{worker}:{thread}"


class SharedClock:
    """The time of Redis, which all processes agree upon, whatever their hosts' clocks say."""

    def __init__(self) -> None:
        """Is not set yet."""
        self._offset_s = math.inf

    def set(self, redis_time: tuple[int, int]) -> None:
        """Takes in what TIME has just answered: seconds and microseconds."""
        seconds, microseconds = redis_time
        self._offset_s = seconds + microseconds / 1e6 - time.monotonic()

    def now(self) -> float:
        """Seconds; infinite before it was set, so that nothing sent before is fresh."""
        return time.monotonic() + self._offset_s


@dataclasses.dataclass(frozen=True, slots=True)
class Roll:
    """Who was there when it was called.

    Args:
        living: names of workers.
        dead: names of those that went without a word, and how many threads each had.
    """

    living: frozenset[str]
    dead: Mapping[str, int]


def call_the_roll(*, client: redis.Redis, clock: SharedClock) -> Roll:
    """Asks Redis who lives, and what time it is.

    Raises:
        RedisError: when it does not answer.
    """
    with client.pipeline(transaction=False) as pipeline:
        pipeline.time()
        pipeline.hgetall(WORKERS)
        redis_time, registered = pipeline.execute()
    clock.set(redis_time)
    threads = {name.decode(): int(count) for name, count in registered.items()}
    beats = client.mget([heartbeat(name) for name in threads]) if threads else []
    living = frozenset(name for name, beat in zip(threads, beats, strict=True) if beat is not None)
    return Roll(living, {name: count for name, count in threads.items() if name not in living})
