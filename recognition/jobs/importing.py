"""The job that enrols the files of an upload."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, QuerySet

from recognition import conf
from recognition.jobs.deciding import NO_ACTIVE_PACK
from recognition.jobs.running import JobFailed, Steps
from recognition.models import ImportBatch, ImportItem, Job
from recognition.selectors.imported import KnownFiles
from recognition.selectors.packs import NoActivePack
from recognition.services import analysis, import_batches, importing, jobs
from recognition.services.importing import LookedAt
from recognition.vision.errors import PackError, PackMismatch

ROWS_AT_A_TIME = 1000
"""Files without their bytes that are in memory at once."""

UPLOAD_GONE = "upload_gone"
PACK_UNUSABLE = "pack_unusable"
PACK_SWITCHED = "pack_switched"


Result = tuple[ImportItem, LookedAt | None]
"""A file, and what was seen of it; None where its person has it already."""


def enrol(steps: Steps) -> Mapping[str, Any]:
    """Looks at every file that was not looked at yet, and stores step by step what becomes of each.

    Raises:
        JobFailed: when the upload is gone, no model pack can be used, or it was switched on the way.
    """
    batch = ImportBatch.objects.filter(pk=steps.run.parameters["batch"]).first()
    if batch is None:
        raise JobFailed(UPLOAD_GONE)
    actor = Job.objects.select_related("requested_by").get(pk=steps.run.job_id).requested_by
    pending = batch.items.filter(state=ImportItem.State.PENDING)
    total, done = batch.items.count(), batch.items.count() - pending.count()
    try:
        for step in importing.in_steps(results=_results(pending), size=importing.FILES_A_STEP):
            done += len(step)
            steps.store(functools.partial(_take, step, actor), done=done, total=total, checkpoint={})
    except NoActivePack as error:
        raise JobFailed(NO_ACTIVE_PACK) from error
    except PackMismatch as error:
        raise JobFailed(PACK_SWITCHED) from error
    except PackError as error:
        raise JobFailed(PACK_UNUSABLE) from error
    counts_of = dict(batch.items.order_by().values_list("state").annotate(count=Count("pk")))
    if any(counts_of.get(state) for state in (ImportItem.State.ENROLLED, ImportItem.State.SET_ASIDE)):
        jobs.ask_for_gallery_check(actor=actor)
    return {"files": total, **{f"{state}": count for state, count in counts_of.items()}}


def _take(step: list[Result], actor: User | None) -> None:
    import_batches.take(files=step, actor=actor)


def _connect_networks() -> None:
    # Imported here, because a process that does other jobs needs no networks, and they take seconds to load.
    from recognition.worker import recogniser

    analysis.connect(recogniser.start())


def _results(pending: QuerySet[ImportItem]) -> Iterator[Result]:
    """First the files that their people have already, as they are found and without their bytes; then what was seen.

    Photos that are ahead in the threads wait for those before them: a thousand known files among them would be held
    in memory, and their progress told, only when one that is not known comes up. A file whose person was erased
    meanwhile is gone, and passed over.
    """
    people = pending.order_by().values_list("person", flat=True).distinct()
    known = KnownFiles({import_batches.person_of(stored) for stored in people})
    unknown: list[int] = []
    for numbers in importing.in_steps(results=list(pending.values_list("pk", flat=True)), size=ROWS_AT_A_TIME):
        for item in ImportItem.objects.filter(pk__in=numbers).defer("data"):
            if item.image_sha256 in known.of(import_batches.person_of(item.person)):
                yield item, None
            else:
                unknown.append(item.pk)
    if unknown:
        _connect_networks()
        yield from importing.looked_at(files=_with_bytes(unknown), threads=conf.worker_threads())


def _with_bytes(numbers: Iterable[int]) -> Iterator[tuple[ImportItem, str, bytes]]:
    for number in numbers:
        for item in ImportItem.objects.filter(pk=number):
            yield item, item.image_sha256, bytes(item.data or b"")
