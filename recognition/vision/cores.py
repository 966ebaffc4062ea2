"""How many calls of networks this machine runs at once without one waiting for another.

A web process asks this too, without any inference runtime; `vision.runtimes.threads` measures it.
"""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path


def usable() -> int:
    """Cores that this process may use, by its affinity and by the quota of its container; 1 or more."""
    # Imported here, because only who recognises needs it.
    import joblib

    return int(joblib.cpu_count())


def remembered_threads(cache_dir: Path) -> int | None:
    """The number of threads that was measured fastest on this machine; None before it was measured."""
    try:
        threads = json.loads(note(cache_dir).read_text())["threads"]
    except (OSError, ValueError, KeyError, TypeError):
        # Absent or damaged: it is measured again.
        return None
    return threads if isinstance(threads, int) and 1 <= threads <= usable() else None


def note(cache_dir: Path) -> Path:
    """Where the measurement is kept; a machine with another processor or other cores has another one."""
    key = json.dumps([platform.machine(), processor(), usable()])
    return cache_dir / f"threads-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def processor() -> str:
    """What this machine's processor is called; empty where nothing says so."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
