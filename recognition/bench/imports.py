"""`faceweb bench import`: a bulk import into a throwaway installation, beside the bare work on the same photos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recognition.bench import importing, server
from recognition.bench.importing import ImportBenchmark


def measure(*, folder: Path, people: int, cache_dir: Path, say: Callable[[str], None]) -> ImportBenchmark:
    """Runs the benchmark on a throwaway installation.

    Args:
        folder: a folder for each person.
        people: how many of them, the first by name.
        cache_dir: of prepared networks.
        say: told what happens, a sentence at a time.

    Raises:
        ServerFailed: when the server does not start, or the import fails.
    """
    say("Starting the server ...")
    with server.running(cache_dir=cache_dir) as up:
        say(f"Importing {people:,} people, then the bare work ...")
        return ImportBenchmark(**up.measured(importing.__name__, str(folder), str(people)))
