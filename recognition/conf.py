"""The settings that this app reads, typed; the only place of the app that knows their names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

from django.conf import settings

from recognition.vision.runtimes.choice import Demand, RuntimeOptions


def runtime_options() -> RuntimeOptions:
    """How networks are run: FACEWEB_RUNTIME, FACEWEB_WORKER_THREADS, FACEWEB_CACHE_DIR."""
    return RuntimeOptions(
        demand=cast(Demand, settings.FACEWEB_RUNTIME),
        threads=worker_threads(),
        cache_dir=Path(settings.FACEWEB_CACHE_DIR),
    )


def worker_threads() -> int:
    """Recognition threads of one process; as many as cores unless FACEWEB_WORKER_THREADS says.

    On two cores two threads of one core each gave more frames a second than one thread of two.
    """
    return int(settings.FACEWEB_WORKER_THREADS) or len(os.sched_getaffinity(0))


def model_dir() -> Path:
    """Where InsightFace packs are looked for and downloaded to."""
    return Path(settings.FACEWEB_MODEL_DIR)


def exact_search_max_rows() -> int:
    """Templates up to which the gallery is scanned exactly instead of through the index."""
    return int(settings.FACEWEB_EXACT_SEARCH_MAX_ROWS)
