"""`faceweb bench`: live recognition and bulk import beside the bare pipeline, very many events, very many sessions."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recognition import conf
from recognition.bench import audits, imports, live, searches, soak
from recognition.bench.audit import AuditBenchmark
from recognition.bench.census import NoCensus
from recognition.bench.clients import StreamFailed
from recognition.bench.importing import ImportBenchmark
from recognition.bench.live import LiveBenchmark
from recognition.bench.processes import ServerFailed
from recognition.bench.recordings import FRAMES_PER_S
from recognition.bench.search import SearchBenchmark
from recognition.bench.soak import SoakBenchmark
from recognition.vision.errors import PackError

Measured = LiveBenchmark | ImportBenchmark | AuditBenchmark | SearchBenchmark | SoakBenchmark

DEFAULT_SECONDS = 20.0


class Command(BaseCommand):
    """Measures on a throwaway installation; the user's own is neither read nor written."""

    help = "Measure the speed of live recognition, of bulk import, of searches and of the log of events here."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the benchmarks."""
        kinds = parser.add_subparsers(dest="what", required=True)
        log = kinds.add_parser(
            "audit",
            help="pages and exports of the log of events among very many of them",
            description="Invents events in a throwaway installation, and reads the log by twelve filters.",
        )
        log.add_argument("--rows", type=_number, default=1_000_000, metavar="N", help="events (default: %(default)d)")
        log.add_argument("--json", action="store_true", help="print one JSON object")
        photos = kinds.add_parser(
            "import",
            help="photos through a bulk import, and the same photos through the bare pipeline",
            description="Imports people into a throwaway installation, and lets the pipeline alone do the same work.",
        )
        photos.add_argument("folder", type=Path, metavar="FOLDER", help="a folder for each person, such as LFW's")
        photos.add_argument("--people", type=_number, default=1000, metavar="N", help="how many (default: %(default)d)")
        photos.add_argument("--json", action="store_true", help="print one JSON object")
        search = kinds.add_parser(
            "search",
            help="searches in a large gallery, by the product's way and by others",
            description="Invents a gallery that is like faces in a throwaway installation, and searches it by several "
            "methods for people of whom it has other samples. To build the indexes of a million takes long.",
        )
        search.add_argument(
            "--rows", type=_number, default=100_000, metavar="N", help="templates (default: %(default)d)"
        )
        search.add_argument(
            "--methods",
            type=_methods,
            default=searches.METHODS,
            metavar="NAME,...",
            help=f"some of {', '.join(searches.METHODS)} (default: all)",
        )
        search.add_argument("--json", action="store_true", help="print one JSON object")
        camera = kinds.add_parser(
            "live",
            help="cameras through the real server, and the same frames through the bare pipeline",
            description="Starts a server with a gallery of 1,000 people, streams recorded frames to it, and lets the "
            "pipeline alone do the same work.",
        )
        camera.add_argument("--streams", type=_number, required=True, metavar="N", help="cameras at the same time")
        camera.add_argument(
            "--seconds", type=_seconds, default=DEFAULT_SECONDS, metavar="S", help="how long (default: %(default)g)"
        )
        camera.add_argument(
            "--fps",
            type=_fps,
            metavar="N",
            help="frames that each camera makes a second, a divisor of 30 (default: as many as the server takes)",
        )
        camera.add_argument(
            "--workers",
            type=_number,
            default=0,
            metavar="N",
            help="recognise in so many processes that are reached through a throwaway redis-server (default: none)",
        )
        camera.add_argument(
            "--channels",
            action="store_true",
            help="with --workers, also through channels_redis and runworker, for comparison",
        )
        camera.add_argument("--json", action="store_true", help="print one JSON object")

        coming = kinds.add_parser(
            "soak",
            help="cameras that come and go for a long time, and what is still held afterwards",
            description="Lets 32 sessions join and leave a throwaway server, half of them without a word, and counts "
            "memory, tasks, threads and connections.",
        )
        coming.add_argument(
            "--minutes", type=_minutes, default=10.0, metavar="M", help="how long (default: %(default)g)"
        )
        coming.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measures and prints."""
        quiet = options["json"]

        def say(sentence: str) -> None:
            if not quiet:
                self.stderr.write(sentence)

        try:
            with _ends_in_order():
                measured: Measured
                if options["what"] == "audit":
                    measured = audits.measure(rows=options["rows"], cache_dir=conf.cache_dir(), say=say)
                elif options["what"] == "soak":
                    measured = soak.measure(seconds=options["minutes"] * 60.0, say=say)
                elif options["what"] == "search":
                    measured = searches.measure(
                        rows=options["rows"], methods=options["methods"], cache_dir=conf.cache_dir(), say=say
                    )
                elif options["what"] == "import":
                    if not options["folder"].is_dir():
                        raise CommandError(f"There is no folder {options['folder']}.")
                    measured = imports.measure(
                        folder=options["folder"].resolve(),
                        people=options["people"],
                        cache_dir=conf.cache_dir(),
                        say=say,
                    )
                else:
                    if options["channels"] and not options["workers"]:
                        raise CommandError("--channels compares ways to workers of their own: add --workers.")
                    measured = live.measure(
                        streams=options["streams"],
                        seconds=options["seconds"],
                        camera_fps=options["fps"],
                        workers=options["workers"],
                        channels=options["channels"],
                        say=say,
                    )
        except (ServerFailed, StreamFailed, NoCensus, PackError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_as_json(measured) if quiet else _as_table(measured))


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return int(text)


def _fps(text: str) -> int:
    if not text.isdecimal() or int(text) < 1 or FRAMES_PER_S % int(text):
        raise argparse.ArgumentTypeError(f"expected a divisor of {FRAMES_PER_S}, such as 10 or 15, got {text!r}")
    return int(text)


def _methods(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in searches.METHODS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no method {unknown[0]!r}; those are {', '.join(searches.METHODS)}")
    return names


def _seconds(text: str) -> float:
    return _between(text, 1.0, 3600.0, "1 to 3600 seconds")


def _minutes(text: str) -> float:
    return _between(text, 0.05, 10_080.0, "0.05 minutes to a week of them")


def _between(text: str, least: float, most: float, expected: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
    return value


@contextlib.contextmanager
def _ends_in_order() -> Iterator[None]:
    """Lets SIGTERM and a closed terminal end the benchmark as Ctrl-C does: with the server stopped."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _as_json(measured: Measured) -> str:
    return json.dumps(_rounded(dataclasses.asdict(measured)))


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 3)
        case dict():
            return {name: _rounded(each) for name, each in value.items()}
        case list() | tuple():
            return [_rounded(each) for each in value]
        case _:
            return value


def _as_table(measured: Measured) -> str:
    match measured:
        case AuditBenchmark():
            rows = _rows_of_audit(measured)
        case SearchBenchmark():
            rows = _rows_of_search(measured)
        case ImportBenchmark():
            rows = _rows_of_import(measured)
        case SoakBenchmark():
            rows = _rows_of_soak(measured)
        case _:
            rows = _rows_of_live(measured)
    return "\n".join(f"{name:<24}{value}" for name, value in rows)


def _rows_of_audit(measured: AuditBenchmark) -> tuple[tuple[str, str], ...]:
    return (
        ("Events", f"{measured.rows:,}, {measured.table_mb:,.0f} MB with their indexes"),
        *(
            (
                "First and far page",
                f"{page.first_p95_ms:6.1f} ms, {page.far_p95_ms:6.1f} ms (page {page.far_page:,}): {page.name}, "
                f"{page.events:,} events",
            )
            for page in measured.pages
        ),
        ("Slowest, 95 %", f"{measured.worst_p95_ms:.1f} ms"),
        ("Export", f"{measured.export_rows_per_s:,.0f} rows a second, {measured.export_mb:,.0f} MB"),
        ("Memory of the export", f"grew by {measured.export_growth_mb:.1f} MB after its first tenth"),
    )


def _rows_of_search(measured: SearchBenchmark) -> tuple[tuple[str, str], ...]:
    return (
        ("Templates", f"{measured.rows:,}"),
        *(
            (
                f"{name}{' (chosen)' if name == measured.chosen else ''}",
                f"{found.p50_ms:7.1f} ms, 95 % {found.p95_ms:7.1f} ms, recall {found.recall_at_1:.4f}; built in "
                f"{found.build_s:.1f} s, {found.disk_mb:,.0f} MB on disk, {found.memory_mb:,.0f} MB in memory",
            )
            for name, found in measured.methods.items()
        ),
    )


def _rows_of_import(measured: ImportBenchmark) -> tuple[tuple[str, str], ...]:
    return (
        ("People", f"{measured.people:,}"),
        ("Photos", f"{measured.photos:,}, of them samples now: {measured.enrolled:,}"),
        ("Time", f"{measured.seconds:.1f} s, beside the bare pipeline in {measured.rounds} rounds"),
        ("Photos a second", f"{measured.photos_per_second:.1f}"),
        ("Bare pipeline", f"{measured.bare_photos_per_second:.1f}"),
        ("Ratio", f"{measured.ratio:.3f}"),
        ("Most memory", f"{measured.peak_mb:.0f} MB"),
        ("Runtime", measured.runtime),
    )


def _rows_of_soak(measured: SoakBenchmark) -> tuple[tuple[str, str], ...]:
    return (
        ("Time", f"{measured.seconds / 60:.1f} minutes, {measured.sessions} sessions"),
        ("Visits", f"{measured.visits:,}, cut off: {measured.cut_off:,}"),
        ("Frames analysed", f"{measured.frames:,}, failed: {measured.failed:,}"),
        ("Memory", f"{measured.warm_mb:.0f} MB after the warm-up, {measured.end_mb:.0f} MB at the end"),
        ("Growth", f"{measured.growth:.1%}"),
        *((f"  {kind}", f"{grown:+.1f} MB") for kind, grown in measured.memory_mb.items()),
        ("Leaked tasks", f"{measured.leaked_tasks}"),
        ("Leaked threads", f"{measured.leaked_threads}"),
        ("Leaked sockets", f"{measured.leaked_sockets}"),
        ("Leaked database links", f"{measured.leaked_database_connections}"),
    )


def _rows_of_live(measured: LiveBenchmark) -> tuple[tuple[str, str], ...]:
    elsewhere = []
    if measured.workers:
        commands = f"{measured.redis_commands_per_frame:.1f} Redis commands a frame"
        elsewhere.append(("Workers", f"{measured.workers} through Redis, {commands}"))
    if other := measured.through_channels:
        elsewhere.append(
            (
                "Through channels_redis",
                f"{other.fps:.1f} fps, ratio {other.ratio:.3f}, {other.p95_ms:.1f} ms for 95 % of the frames, "
                f"{other.redis_commands_per_frame:.1f} Redis commands a frame",
            )
        )
    return (
        ("Streams", f"{measured.streams}" + (f" of {measured.camera_fps} fps" if measured.camera_fps else "")),
        ("Frames a second", f"{measured.fps:.1f} ({measured.analysed_share:.1%} of those that the cameras made)"),
        ("Bare pipeline", f"{measured.bare_fps:.1f} ({measured.bare_p95_ms:.1f} ms for 95 % of the frames)"),
        ("Ratio", f"{measured.ratio:.3f}"),
        ("Round trip, median", f"{measured.p50_ms:.1f} ms"),
        ("Round trip, 95 %", f"{measured.p95_ms:.1f} ms"),
        ("Dropped frames", f"{measured.dropped:,}"),
        ("Fairness", f"{measured.fairness:.3f} ({measured.slowest_fps:.1f} fps over {measured.fastest_fps:.1f})"),
        ("Embeddings", f"{measured.embeddings:,} (bare pipeline: {measured.bare_embeddings:,})"),
        ("Searched around faces only", f"{measured.near_share:.0%} of the frames"),
        ("Runtime", measured.runtime),
        *elsewhere,
    )
