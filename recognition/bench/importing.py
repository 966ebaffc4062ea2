"""Photos a second through a bulk import, beside the bare work on the same photos by as many threads.

Run as `python -m recognition.bench.importing FOLDER PEOPLE RESULT` with the settings of the throwaway server, and so on
its database; a process of its own, because its settings name another database. RESULT is written as JSON.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import itertools
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import django

from faceweb import env

if TYPE_CHECKING:
    from recognition.services.analysis import StillImageAnalyser


@dataclasses.dataclass(frozen=True, slots=True)
class ImportBenchmark:
    """What was measured.

    Args:
        people: how many folders were imported.
        photos: how many files they hold.
        enrolled: how many of them became samples, those that are set aside included.
        seconds: of the import, from the first file to the last commit.
        photos_per_second: of the import.
        bare_photos_per_second: decoding, finding, measuring, embedding, cutting out, and COPY of the same rows.
        ratio: of both.
        peak_mb: most memory that the process had until the end of the import.
        runtime: what ran the networks.
    """

    people: int
    photos: int
    enrolled: int
    seconds: float
    photos_per_second: float
    bare_photos_per_second: float
    ratio: float
    peak_mb: float
    runtime: str


def _measured(folder: Path, people: int) -> ImportBenchmark:
    # Imported here, because models need the settings, which `main` has just chosen.
    from recognition import conf
    from recognition.importing.layouts import Layout
    from recognition.models import FaceSample
    from recognition.services import analysis, importing
    from recognition.worker import recogniser

    working = recogniser.start()
    analysis.connect(working)
    folders = sorted(path for path in folder.iterdir() if path.is_dir())[:people]
    paths = [path.relative_to(folder).as_posix() for each in folders for path in sorted(each.iterdir())]
    plan = importing.plan(paths=paths, read=_reader(folder), layout=Layout.FOLDERS)
    threads = conf.worker_threads()

    begin = time.monotonic()
    for file, seen in importing.looked_at(
        files=importing.contents(files=plan.taken, read=_reader(folder)), threads=threads
    ):
        importing.take(person=importing.of_file(file), file=seen, actor=None)
    seconds = time.monotonic() - begin
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bare = _bare_seconds(folder, [file.path for file in plan.taken], working, threads)
    photos = len(plan.taken)
    return ImportBenchmark(
        people=len(folders),
        photos=photos,
        enrolled=FaceSample.objects.count(),
        seconds=seconds,
        photos_per_second=photos / seconds,
        bare_photos_per_second=photos / bare,
        ratio=bare / seconds,
        peak_mb=peak_mb,
        runtime=working.runtime,
    )


def _bare_seconds(folder: Path, paths: Sequence[str], working: StillImageAnalyser, threads: int) -> float:
    """The work that nobody is spared: of each photo all faces, and a row of each in one COPY at the end."""
    from django.db import connection, connections
    from pgvector import Vector

    counter = itertools.count()

    def work() -> list[tuple[str, bytes, str]]:
        rows = []
        # next() of a count is atomic.
        while (place := next(counter)) < len(paths):
            for face in working.analyse((folder / paths[place]).read_bytes())[:1]:
                vector = Vector(face.embedding.vector).to_text()
                rows.append((json.dumps(face.quality.as_json()), face.crop_jpeg, vector))
        connections.close_all()
        return rows

    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(work) for _ in range(threads)]
        rows = [row for future in futures for row in future.result()]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE bare (quality jsonb, jpeg bytea, embedding vector)")
        with cursor.copy("COPY bare FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    return time.monotonic() - begin


def _reader(folder: Path) -> Callable[[str, int], bytes]:
    def read(path: str, most_bytes: int) -> bytes:
        with (folder / path).open("rb") as file:
            return file.read(most_bytes + 1)

    return read


def main() -> None:
    """The process."""
    env.SETTINGS_MODULE.tell(env.SETTINGS_MODULE.read())
    django.setup()
    folder, people, result = sys.argv[1:]
    Path(result).write_text(json.dumps(dataclasses.asdict(_measured(Path(folder), int(people)))))


if __name__ == "__main__":
    main()
