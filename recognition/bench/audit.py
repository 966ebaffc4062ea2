"""How long a page of the log takes among very many events, and how much memory an export of all of them.

Run as `python -m recognition.bench.audit ROWS RESULT` with the settings of the throwaway server, and so on its
database; a process of its own, because its settings name another database. RESULT is written as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from faceweb import env

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from recognition.selectors.event_filters import EventFilter
    from recognition.selectors.event_log import Place

RUNS = 20
FAR_PAGE = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class PageTimes:
    """A filter and what its pages took.

    Args:
        name: of the filter.
        events: that it keeps.
        first_p95_ms: 95 % of the readings of the first page took no longer.
        far_page: which other page was read: the 10,000th, or the last where there are fewer.
        far_p95_ms: likewise for that one.
    """

    name: str
    events: int
    first_p95_ms: float
    far_page: int
    far_p95_ms: float


@dataclasses.dataclass(frozen=True, slots=True)
class AuditBenchmark:
    """What was measured.

    Args:
        rows: events in the log.
        pages: of each filter.
        worst_p95_ms: of all pages.
        export_rows_per_s: of an export of the whole log as CSV.
        export_mb: its size.
        export_growth_mb: how much more memory the process had after it than after its first tenth.
        table_mb: the events with their indexes.
    """

    rows: int
    pages: tuple[PageTimes, ...]
    worst_p95_ms: float
    export_rows_per_s: float
    export_mb: float
    export_growth_mb: float
    table_mb: float


def filters() -> dict[str, EventFilter]:
    """Twelve filters, such as auditors ask for: rare, empty, and several things at once."""
    import datetime as dt

    from recognition.models import Checkpoint, Person, RecognitionEvent, ThresholdPolicy
    from recognition.selectors.event_filters import EventFilter

    end = RecognitionEvent.objects.latest("decided_at").decided_at
    doors = list(Checkpoint.objects.order_by("pk").values_list("pk", flat=True))
    versions = list(ThresholdPolicy.objects.order_by("pk").values_list("version", flat=True))
    day, old = dt.timedelta(days=1), versions[1]
    refusals = ("reject_no_match", "reject_not_allowed", "reject_ambiguous", "reject_pad")
    return {
        "everything": EventFilter(),
        "a decision that is rare": EventFilter(decisions=("reject_pad",)),
        "a decision that never came": EventFilter(decisions=("locked_out",)),
        "every refusal of a quiet checkpoint": EventFilter(decisions=refusals, checkpoint=doors[-1]),
        "a reason in an old version": EventFilter(reason="pin_wrong", policy=old),
        "a person": EventFilter(person=Person.objects.order_by("pk")[5]),
        "similarities around the threshold": EventFilter(similarity_from=0.495, similarity_to=0.505),
        "accepts without a verdict": EventFilter(review="unreviewed", decisions=("accept",)),
        "false matches at a checkpoint": EventFilter(review="false_match", checkpoint=doors[0]),
        "disputed verdicts": EventFilter(review="disputed"),
        "words of overrides in half a year": EventFilter(text="guard badge", since=end - 180 * day),
        "everything at once": EventFilter(
            text="Person",
            checkpoint=doors[0],
            decisions=("accept",),
            policy=old,
            similarity_from=0.6,
            kind="verification",
            review="unreviewed",
            until=end - 30 * day,
        ),
    }


def measure(rows: int) -> AuditBenchmark:
    """Fills the log and measures."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.utils import timezone

    from recognition.bench import event_log
    from recognition.models import ModelPack, RecognitionEvent

    event_log.fill(rows, pack_id=ModelPack.objects.get(is_active=True).pk, end=timezone.now())
    with connection.cursor() as cursor:
        # What autovacuum does by itself soon after so many rows have come.
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT pg_total_relation_size(%s)", [RecognitionEvent._meta.db_table])
        table_bytes = int(cursor.fetchone()[0])
    user = User.objects.get(is_superuser=True)
    pages = tuple(_page_times(name, wanted, user) for name, wanted in filters().items())
    rows_per_s, megabytes, growth_mb = _export(user)
    return AuditBenchmark(
        rows=rows,
        pages=pages,
        worst_p95_ms=max(max(page.first_p95_ms, page.far_p95_ms) for page in pages),
        export_rows_per_s=rows_per_s,
        export_mb=megabytes,
        export_growth_mb=growth_mb,
        table_mb=table_bytes / 2**20,
    )


def _page_times(name: str, wanted: EventFilter, user: User) -> PageTimes:
    from recognition.selectors import event_log
    from recognition.selectors.event_log import PAGE_SIZE, Place

    found = event_log.all_of(wanted, user=user)
    events = found.count()
    far_page = max(min(FAR_PAGE, -(-events // PAGE_SIZE)), 1)
    before = found.values_list("decided_at", "pk")[(far_page - 1) * PAGE_SIZE - 1 :][:1] if far_page > 1 else ()
    place = next((Place(at, number) for at, number in before), None)

    def read(at: Place | None) -> Callable[[], object]:
        return lambda: event_log.page(wanted, user=user, place=at)

    return PageTimes(name, events, _p95_ms(read(None)), far_page, _p95_ms(read(place)))


def _p95_ms(read: Callable[[], Any]) -> float:
    read()  # the first one fills caches
    taken = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        read()
        taken.append((time.perf_counter() - begin) * 1000)
    return sorted(taken)[-(-RUNS * 95 // 100) - 1]


def _export(user: User) -> tuple[float, float, float]:
    """Rows a second, megabytes, and megabytes by which the process grew after the first tenth."""
    from recognition.models import RecognitionEvent
    from recognition.selectors.event_filters import EventFilter
    from recognition.services import event_export
    from recognition.services.event_export import ROWS_A_CHUNK, ExportFormat

    rows = RecognitionEvent.objects.count()
    size, settled_mb, begin = 0, 0.0, time.perf_counter()
    for number, piece in enumerate(event_export.export(wanted=EventFilter(), form=ExportFormat.CSV, actor=user)):
        size += len(piece)
        if number == rows // ROWS_A_CHUNK // 10:
            settled_mb = _peak_mb()
    return rows / (time.perf_counter() - begin), size / 2**20, _peak_mb() - settled_mb


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """The process."""
    env.SETTINGS_MODULE.tell(env.SETTINGS_MODULE.read())
    django.setup()
    rows, result = sys.argv[1:]
    Path(result).write_text(json.dumps(dataclasses.asdict(measure(int(rows)))))


if __name__ == "__main__":
    main()
