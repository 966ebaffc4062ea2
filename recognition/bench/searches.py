"""`faceweb bench search`: a gallery as large as one asks for, searched in several ways, in a throwaway installation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from recognition.bench import search, server
from recognition.bench.search import MethodResult, SearchBenchmark

METHODS = ("exact", "exact_numpy", "sketches", "bit_scan", "bit_hnsw", "halfvec_hnsw", "hnsw", "hnsw_1000")
"""Those of `search_methods`, which needs settings; a test compares."""


def measure(*, rows: int, methods: Sequence[str], cache_dir: Path, say: Callable[[str], None]) -> SearchBenchmark:
    """Runs the benchmark on a throwaway installation.

    Args:
        rows: templates that are invented, four of each person.
        methods: some of `METHODS`.
        cache_dir: of prepared networks.
        say: told what happens, a sentence at a time.

    Raises:
        ServerFailed: when the server does not start, or the measurement fails.
    """
    say("Starting the server ...")
    with server.running(cache_dir=cache_dir) as up:
        say(f"Inventing {rows:,} templates, then searching them ...")
        measured = up.measured(search.__name__, str(rows), ",".join(methods))
        found = {name: MethodResult(**each) for name, each in measured["methods"].items()}
        return SearchBenchmark(**{**measured, "methods": found})
