"""What became of the files of an import."""

from __future__ import annotations

from collections import Counter

from django.db.models import Count, QuerySet

from recognition.models import ImportBatch, ImportItem


def counts(batch: ImportBatch) -> Counter[str]:
    """How many files there are in each state."""
    rows = batch.items.order_by().values_list("state").annotate(count=Count("pk"))
    return Counter(dict(rows))


def items(batch: ImportBatch, state: str) -> QuerySet[ImportItem]:
    """The files, without their bytes; `state` chooses some of them, empty all."""
    chosen = batch.items.filter(state=state) if state else batch.items.all()
    return chosen.defer("data").select_related("sample__person").order_by("pk")


def people_of(batch: ImportBatch) -> int:
    """How many people the files show."""
    shown = batch.items.exclude(person=None).order_by()
    return shown.values_list("person__name", "person__external_id").distinct().count()


def name_of(item: ImportItem) -> str:
    """Whom a file shows: as they are called now where it is a sample, else as the upload calls them."""
    if item.sample is not None:
        return item.sample.person.name
    person = item.person or {}
    return str(person.get("name") or person.get("external_id") or "")
