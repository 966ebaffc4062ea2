"""Measures how many threads of one core each get most done on this machine.

Two threads on the two halves of one core get less than twice as much done, sometimes less than one; a container may
have fewer cores than its machine.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from recognition.vision import cores
from recognition.vision.runtimes.choice import write_atomically

logger = logging.getLogger(__name__)

ROUNDS = 3
"""Of each number of threads, in turns; the best counts: what else the machine does makes it slower, never faster."""

ROUND_S = 0.25

ENOUGH = 0.97
"""Of the most that any number gets done: fewer threads that do so leave the rest of the machine to others."""


def measure(work: Callable[[], None], cache_dir: Path) -> int:
    """Measures how many threads get most done, and remembers it.

    Args:
        work: what a thread does, on one core; called by several at the same time.
        cache_dir: where the result is kept for `cores.remembered_threads`.
    """
    most = cores.usable()
    rates = _rates(work, most) if most > 1 else {1: 0.0}
    threads = fewest(rates)
    logger.info("measured calls a second by threads: %s; %d are used", rates, threads)
    kept = {"processor": cores.processor(), "cores": most, "calls_per_s": rates, "threads": threads}
    write_atomically(cores.note(cache_dir), json.dumps(kept).encode())
    return threads


def fewest(rates: Mapping[int, float]) -> int:
    """The fewest threads that get about as much done as any number does.

    Args:
        rates: calls a second by number of threads; at least one.
    """
    enough = ENOUGH * max(rates.values())
    return min(threads for threads, rate in rates.items() if rate >= enough)


def _rates(work: Callable[[], None], most: int) -> dict[int, float]:
    counts = [1]
    while counts[-1] < most:
        counts.append(min(counts[-1] * 2, most))
    best = dict.fromkeys(counts, 0.0)
    with ThreadPoolExecutor(most) as pool:
        for _ in range(ROUNDS):
            for count in counts:
                best[count] = max(best[count], _rate(work, pool, count))
    return {count: round(rate, 1) for count, rate in best.items()}


def _rate(work: Callable[[], None], pool: ThreadPoolExecutor, count: int) -> float:
    """Calls a second of so many threads together, each for about `ROUND_S`."""
    together = threading.Barrier(count)

    def calls() -> float:
        together.wait()
        begin = time.perf_counter()
        done = 0
        while (spent := time.perf_counter() - begin) < ROUND_S:
            work()
            done += 1
        return done / spent

    return sum(future.result() for future in [pool.submit(calls) for _ in range(count)])
