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
    from recognition.importing.entries import PlannedFile
    from recognition.services.analysis import StillImageAnalyser

WARM_UP_PHOTOS = 32

PHOTOS_A_ROUND = 160
"""So many that it hardly matters that the last ones of a round are stored while no others are looked at."""

MOST_ROUNDS = 10


@dataclasses.dataclass(frozen=True, slots=True)
class ImportBenchmark:
    """What was measured.

    Args:
        people: how many folders were imported.
        photos: how many files they hold.
        rounds: in how many turns both were measured.
        enrolled: how many of them became samples, those that are set aside included.
        seconds: of the import, from the first file to the last commit; loading the networks is not counted.
        photos_per_second: of the import.
        bare_photos_per_second: decoding, finding, measuring, embedding, cutting out, and COPY of the same rows.
        ratio: of both.
        peak_mb: most memory that the process had.
        runtime: what ran the networks.
    """

    people: int
    photos: int
    rounds: int
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
    rounds = _rounds(plan.taken)
    threads = conf.worker_threads()

    # The first photos compile networks for their sizes; a start is counted on neither side.
    _bare_seconds(folder, plan.taken[:WARM_UP_PHOTOS], working, threads)
    seconds = bare = 0.0
    for number, files in enumerate(rounds):
        # In turns, so that whatever else the machine does meanwhile slows both.
        if number % 2:
            bare += _bare_seconds(folder, files, working, threads)
            seconds += _import_seconds(folder, files, threads)
        else:
            seconds += _import_seconds(folder, files, threads)
            bare += _bare_seconds(folder, files, working, threads)
    photos = len(plan.taken)
    return ImportBenchmark(
        people=len(folders),
        photos=photos,
        rounds=len(rounds),
        enrolled=FaceSample.objects.count(),
        seconds=seconds,
        photos_per_second=photos / seconds,
        bare_photos_per_second=photos / bare,
        ratio=bare / seconds,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        runtime=working.runtime,
    )


def _rounds(files: Sequence[PlannedFile]) -> list[Sequence[PlannedFile]]:
    count = min(max(len(files) // PHOTOS_A_ROUND, 1), MOST_ROUNDS)
    edges = [len(files) * number // count for number in range(count + 1)]
    return [files[begin:end] for begin, end in itertools.pairwise(edges)]


def _import_seconds(folder: Path, files: Sequence[PlannedFile], threads: int) -> float:
    """As `faceweb import-people` does it, with no progress to show."""
    from recognition.services import importing

    begin = time.monotonic()
    read = _reader(folder)
    unknown = [file for file, is_known in importing.with_known(files=files, read=read) if not is_known]
    contents = importing.contents(files=unknown, read=read)
    for step in importing.in_steps(
        results=importing.looked_at(files=contents, threads=threads), size=importing.FILES_A_STEP
    ):
        importing.take(files=[(importing.of_file(file), seen) for file, seen in step], actor=None)
    return time.monotonic() - begin


def _bare_seconds(folder: Path, files: Sequence[PlannedFile], working: StillImageAnalyser, threads: int) -> float:
    """The work that nobody is spared: of each photo all faces, and a row of each in one COPY at the end."""
    from django.db import connection, connections
    from pgvector import Vector

    counter = itertools.count()

    def work() -> list[tuple[str, bytes, str]]:
        rows = []
        # next() of a count is atomic.
        while (place := next(counter)) < len(files):
            for face in working.analyse((folder / files[place].path).read_bytes())[:1]:
                vector = Vector(face.embedding.vector).to_text()
                rows.append((json.dumps(face.quality.as_json()), face.crop_jpeg, vector))
        connections.close_all()
        return rows

    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(work) for _ in range(threads)]
        rows = [row for future in futures for row in future.result()]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS bare (quality jsonb, jpeg bytea, embedding vector)")
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
