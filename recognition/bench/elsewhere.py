"""A throwaway Redis, and recognition in processes of their own that a throwaway server meets there."""

from __future__ import annotations

import contextlib
import functools
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import redis

from faceweb import env
from recognition import conf
from recognition.bench import processes
from recognition.bench.processes import ServerFailed
from recognition.bench.server import FACEWEB, Server

HOST = "127.0.0.1"

WORKER = (*FACEWEB, "worker")

READY = b"is ready"
"""Part of what a worker says when it can work."""


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """Has a Redis of the benchmark's own for as long as the block lasts, and says its address.

    Raises:
        ServerFailed: when it is not installed, or does not start.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise ServerFailed("Workers of their own meet the server in Redis: install the program redis-server first.")
    with contextlib.ExitStack() as stack:
        with processes.undisturbed():
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faceweb-bench-redis-")))
            port, log = _free_port(), directory / "redis.log"
            arguments = [program, "--bind", HOST, "--port", str(port), "--save", "", "--dir", str(directory)]
            process = processes.start(arguments, environment=env.of_child({}), log=log)
            stack.callback(_stop, process)
        url = f"redis://{HOST}:{port}/0"
        with redis.Redis.from_url(url) as client:
            processes.wait_until(lambda: _answers(client), process, log, what="Redis")
        yield url


@contextlib.contextmanager
def workers(up: Server, count: int, *, command: Sequence[str]) -> Iterator[None]:
    """Has workers of a server running for as long as the block lasts; together they take every core once.

    Args:
        up: the server; it was told of a Redis.
        count: how many.
        command: one worker; says `READY` when it is.

    Raises:
        ServerFailed: when one does not start.
    """
    threads = max(conf.worker_threads() // count, 1)
    environment = {**up.environment, "FACEWEB_WORKER_THREADS": str(threads)}
    with contextlib.ExitStack() as stack:
        for number in range(count):
            log = up.directory / f"worker-{number}.log"
            with processes.undisturbed():
                process = processes.start(command, environment=environment, log=log)
                stack.callback(_stop, process)
            # One after the other: the first one prepares the networks for all.
            processes.wait_until(functools.partial(_is_ready, log), process, log, what="worker")
        yield


def _is_ready(log: Path) -> bool:
    return READY in log.read_bytes()


def commands(redis_url: str) -> int:
    """How many commands a Redis has been sent so far."""
    with redis.Redis.from_url(redis_url) as client:
        return int(client.info("stats")["total_commands_processed"])


def _stop(process: subprocess.Popen[bytes]) -> None:
    with processes.undisturbed():
        processes.stop(process)


def _answers(client: redis.Redis) -> bool:
    with contextlib.suppress(redis.ConnectionError):
        return bool(client.ping())
    return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
        return port
