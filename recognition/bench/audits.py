"""`faceweb bench audit`: the log of events with as many as one asks for, in a throwaway installation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recognition.bench import audit, server
from recognition.bench.audit import AuditBenchmark, PageTimes


def measure(*, rows: int, cache_dir: Path, say: Callable[[str], None]) -> AuditBenchmark:
    """Runs the benchmark on a throwaway installation.

    Args:
        rows: events that are invented.
        cache_dir: of prepared networks.
        say: told what happens, a sentence at a time.

    Raises:
        ServerFailed: when the server does not start, or the measurement fails.
    """
    say("Starting the server ...")
    with server.running(cache_dir=cache_dir) as up:
        say(f"Inventing {rows:,} events, then reading them ...")
        measured = up.measured(audit.__name__, str(rows))
        return AuditBenchmark(**{**measured, "pages": tuple(PageTimes(**page) for page in measured["pages"])})
