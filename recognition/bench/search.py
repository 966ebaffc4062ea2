"""How long a search takes in a large gallery, and how often it finds the nearest template, by several methods.

Run as `python -m recognition.bench.search ROWS METHODS RESULT` with the settings of the throwaway server, and so on its
database; a process of its own, because its settings name another database. METHODS are names with commas, RESULT is
written as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import django
import numpy as np
from numpy.typing import NDArray

from faceweb import env
from recognition.evaluation import face_like
from recognition.evaluation.face_like import FaceLikeGallery

if TYPE_CHECKING:
    from recognition.bench.search_methods import Method

SAMPLES_EACH = 4
PROBES = 400
PROBES_OF_A_SCAN = 50
"""Searches that look at everything take long, and are right."""

WARM_UP_PROBES = 10
SEED = 20_261_128


@dataclasses.dataclass(frozen=True, slots=True)
class MethodResult:
    """What one method gave.

    Args:
        p50_ms: half of the searches took no longer.
        p95_ms: 95 % of them took no longer.
        recall_at_1: share of the mated probes whose nearest template was found.
        build_s: to make what it needs beside the templates.
        disk_mb: of that in the database.
        memory_mb: of that in each process.
    """

    p50_ms: float
    p95_ms: float
    recall_at_1: float
    build_s: float
    disk_mb: float
    memory_mb: float


@dataclasses.dataclass(frozen=True, slots=True)
class SearchBenchmark:
    """What was measured.

    Args:
        rows: templates in the gallery, four of each person.
        methods: by name.
        chosen: the one that the product takes for a gallery of this size.
    """

    rows: int
    methods: dict[str, MethodResult]
    chosen: str


def measure(rows: int, methods: list[str]) -> SearchBenchmark:
    """Fills the gallery and measures."""
    from recognition import conf
    from recognition.bench import face_gallery, search_methods
    from recognition.selectors import packs

    people = max(rows // SAMPLES_EACH, 1)
    gallery = face_like.generate(
        face_like.load(), people=people, samples_each=SAMPLES_EACH, probes=min(PROBES, people), seed=SEED
    )
    active = packs.active()
    face_gallery.fill(gallery, pack_id=active.id)
    nearest = _nearest(gallery)
    results = {}
    for name in methods:
        with search_methods.METHODS[name](gallery, active) as method:
            results[name] = _measured(method, gallery, nearest)
    chosen = search_methods.EXACT if len(gallery.vectors) <= conf.exact_search_max_rows() else search_methods.SKETCHES
    return SearchBenchmark(len(gallery.vectors), results, chosen)


def _nearest(gallery: FaceLikeGallery) -> NDArray[np.int64]:
    """Primary keys of the samples that are truly nearest to each probe."""
    from recognition.models import FaceSample

    best = [int((gallery.vectors @ probe).argmax()) for probe in gallery.probes]
    return FaceSample.objects.earliest("pk").pk + np.array(best, np.int64)


def _measured(method: Method, gallery: FaceLikeGallery, nearest: NDArray[np.int64]) -> MethodResult:
    count = PROBES_OF_A_SCAN if method.is_scan else len(gallery.probes)
    for probe in gallery.probes[-WARM_UP_PROBES:]:
        method.search(probe)
    taken_ms, hits = [], 0
    for probe, wanted in zip(gallery.probes[:count], nearest[:count], strict=True):
        begin = time.perf_counter()
        found = method.search(probe)
        taken_ms.append((time.perf_counter() - begin) * 1e3)
        hits += found == wanted
    p50_ms, p95_ms = np.quantile(taken_ms, [0.5, 0.95], method="higher")
    return MethodResult(
        float(p50_ms), float(p95_ms), hits / len(taken_ms), method.build_s, method.disk_mb, method.memory_mb
    )


def main() -> None:
    """The process."""
    env.SETTINGS_MODULE.tell(env.SETTINGS_MODULE.read())
    django.setup()
    rows, methods, result = sys.argv[1:]
    Path(result).write_text(json.dumps(dataclasses.asdict(measure(int(rows), methods.split(",")))))


if __name__ == "__main__":
    main()
