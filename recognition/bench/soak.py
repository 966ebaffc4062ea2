"""`faceweb bench soak`: cameras that come and go for a long time, and what the product still holds afterwards."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import functools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import cv2
import psutil

from faceweb import embedded, postgres_process
from recognition import conf, wiring
from recognition.bench import census, gallery, live, people, recordings, server, visits
from recognition.bench.census import Census
from recognition.bench.server import Server
from recognition.bench.visits import Visited
from recognition.vision import model_packs

ENROLLED = 100
SESSIONS = 32
CAMERA_FPS = 2
"""Few, so that a small machine keeps up: what may leak is made when a session comes or goes."""

LONGEST_VISIT_S = 6.0
"""Each session stays up to this long, then leaves and joins again."""

WARM_UP_SHARE = 0.25
"""Part of the time after which caches and pools have the size that so many sessions ask for: what grows, and what is
held when all have left, is counted from there."""

SAMPLE_INTERVAL_S = 1.0
SETTLE_TIMEOUT_S = 5.0
MEGABYTE = 1e6

SESSION_KIND = "database session"
_KINDS = {
    "recognition.worker": "recognition",
    "recognition.jobs": "jobs",
    f": {postgres_process.ROLE} ": SESSION_KIND,
    "postgres": "database",
}
"""Kinds of processes by what their command lines hold; the first that fits."""


@dataclasses.dataclass(frozen=True, slots=True)
class Holdings:
    """What the product holds at one moment.

    Args:
        memory_mb: by kind of process, the pages that it shares with nobody.
        threads: of all processes, as the operating system counts them.
        tasks: of the server's event loop.
        sockets: open network connections of the server.
        database_connections: connections to PostgreSQL, of all processes.
    """

    memory_mb: dict[str, float]
    threads: int
    tasks: int
    sockets: int
    database_connections: int

    @property
    def total_mb(self) -> float:
        """Memory of all processes."""
        return sum(self.memory_mb.values())


@dataclasses.dataclass(frozen=True, slots=True)
class SoakBenchmark:
    """What was measured.

    Args:
        seconds: how long sessions came and went.
        sessions: at the same time.
        visits: sessions that joined and left after the warm-up.
        cut_off: those of them that left without saying so.
        frames: analysed.
        failed: frames that the server could not analyse, or not in time.
        warm_mb: memory after the warm-up, all processes: the median of a tenth of the time that is left.
        end_mb: the same at the end.
        growth: end_mb over warm_mb, less 1.
        memory_mb: the growth of each kind of process, in MB.
        leaked_tasks: of the server, when all had left: more than after the warm-up.
        leaked_threads: the same of threads, all processes.
        leaked_sockets: the same of the server's network connections.
        leaked_database_connections: the same of connections to PostgreSQL.
    """

    seconds: float
    sessions: int
    visits: int
    cut_off: int
    frames: int
    failed: int
    warm_mb: float
    end_mb: float
    growth: float
    memory_mb: dict[str, float]
    leaked_tasks: int
    leaked_threads: int
    leaked_sockets: int
    leaked_database_connections: int


def measure(*, seconds: float, say: Callable[[str], None]) -> SoakBenchmark:
    """Runs the benchmark.

    Args:
        seconds: how long sessions come and go.
        say: told what happens, a sentence at a time.

    Raises:
        ServerFailed: when the server does not start.
        StreamFailed: when a session ends that should not.
        NoCensus: when the server does not say what it holds.
        PackError: when the default pack cannot be loaded.
    """
    cv2.setNumThreads(1)
    pipeline = wiring.load(model_packs.opencv_zoo_pack(), wiring.runtime_options()).pipeline
    cast = people.cast(pipeline, live.lfw_images(), enrolled=ENROLLED, threads=conf.worker_threads())
    recorded = [recordings.record(portrait, number) for number, portrait in enumerate(cast.walkers)]
    say("Starting the server ...")
    with server.running(cache_dir=conf.cache_dir()) as up:
        gallery.write(up.directory / "gallery.npz", cast)
        up.run_module(gallery.__name__, str(up.directory / "gallery.npz"))
        cookie = up.log_in()
        longest_s = min(LONGEST_VISIT_S, seconds / 4)
        visit = functools.partial(
            visits.run, up, cookie, recorded, sessions=SESSIONS, longest_s=longest_s, fps=CAMERA_FPS
        )
        warm_up_s = seconds * WARM_UP_SHARE
        say(f"{SESSIONS} sessions that come and go for {warm_up_s:.0f} s, to warm up ...")
        visit(seconds=warm_up_s)
        before = _settled(up, None)
        say(f"... and for {seconds - warm_up_s:.0f} s more ...")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            visiting = pool.submit(visit, seconds=seconds - warm_up_s)
            samples = list(_samples(up, visiting))
        after = _settled(up, before)
    visited = visiting.result()
    return _summary(seconds, visited, samples, before, after)


def _samples(up: Server, visiting: concurrent.futures.Future[Visited]) -> Iterator[dict[str, float]]:
    while True:
        yield _memory_mb(up)
        with contextlib.suppress(TimeoutError):
            visiting.result(SAMPLE_INTERVAL_S)
            return


def _settled(up: Server, before: Holdings | None) -> Holdings:
    """What is held once nobody is there: whatever ends by itself gets the time to."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while True:
        now = _holdings(up)
        idle = now.sockets == 0 if before is None else not any(_leaks(before, now))
        if idle or time.monotonic() > deadline:
            return now
        time.sleep(SAMPLE_INTERVAL_S)


def _leaks(before: Holdings, after: Holdings) -> tuple[int, int, int, int]:
    """More tasks, threads, sockets and connections to the database than before."""
    pairs = (
        (before.tasks, after.tasks),
        (before.threads, after.threads),
        (before.sockets, after.sockets),
        (before.database_connections, after.database_connections),
    )
    tasks, threads, sockets, connections = (max(late - early, 0) for early, late in pairs)
    return tasks, threads, sockets, connections


def _summary(
    seconds: float,
    visited: Visited,
    samples: Sequence[dict[str, float]],
    before: Holdings,
    after: Holdings,
) -> SoakBenchmark:
    length = max(len(samples) // 10, 1)
    warm, end = _median(samples[:length]), _median(samples[-length:])
    warm_mb, end_mb = sum(warm.values()), sum(end.values())
    tasks, threads, sockets, connections = _leaks(before, after)
    return SoakBenchmark(
        seconds=seconds,
        sessions=SESSIONS,
        visits=visited.visits,
        cut_off=visited.cut_off,
        frames=visited.frames,
        failed=visited.failed,
        warm_mb=warm_mb,
        end_mb=end_mb,
        growth=end_mb / warm_mb - 1,
        memory_mb={kind: end[kind] - warm.get(kind, 0.0) for kind in end},
        leaked_tasks=tasks,
        leaked_threads=threads,
        leaked_sockets=sockets,
        leaked_database_connections=connections,
    )


def _median(samples: Sequence[dict[str, float]]) -> dict[str, float]:
    return {kind: statistics.median(sample.get(kind, 0.0) for sample in samples) for kind in samples[-1]}


def _holdings(up: Server) -> Holdings:
    held: Census = census.ask(up.pid, up.census)
    processes = _processes(up)
    sockets = psutil.Process(up.pid).net_connections("tcp")
    return Holdings(
        memory_mb=_memory_mb(up),
        threads=sum(_counted(process.num_threads) for kind, process in processes if "database" not in kind),
        tasks=held.tasks,
        sockets=sum(socket.status != psutil.CONN_LISTEN for socket in sockets),
        database_connections=sum(kind == SESSION_KIND for kind, _ in processes),
    )


def _memory_mb(up: Server) -> dict[str, float]:
    found: dict[str, float] = {}
    for kind, process in _processes(up):
        held = _counted(lambda process=process: process.memory_full_info().uss) / MEGABYTE  # type: ignore[misc]
        found[kind] = found.get(kind, 0.0) + held
    return found


def _counted(read: Callable[[], int]) -> int:
    """A number of a process; 0 of one that has just ended."""
    try:
        return read()
    except psutil.NoSuchProcess:
        return 0


def _processes(up: Server) -> list[tuple[str, psutil.Process]]:
    """Every process of the product, with its kind."""
    server_process = psutil.Process(up.pid)
    database = postgres_process.running_pid(embedded.Place(up.directory).data)
    below = server_process.children(recursive=True)
    if database is not None:
        postgres = psutil.Process(database)
        below += [postgres, *postgres.children()]
    found = [("server", server_process)]
    for process in dict.fromkeys(below):
        with contextlib.suppress(psutil.NoSuchProcess):
            command = " ".join(process.cmdline())
            found.append((next((kind for mark, kind in _KINDS.items() if mark in command), "other"), process))
    return found
