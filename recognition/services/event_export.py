"""Hands out the events that a filter keeps, row by row: however many there are, memory holds some hundred of them."""

from __future__ import annotations

import csv
import dataclasses
import enum
import io
import itertools
import json
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from recognition.import_wording import spreadsheet_cell
from recognition.models import AuditAction, EventOverride, EventPlace
from recognition.selectors import event_log
from recognition.selectors.event_filters import EventFilter
from recognition.selectors.reviews import visible_verdicts
from recognition.services import audit

ROWS_A_CHUNK = 500

_COLUMNS = {
    "event": "pk",
    "transaction": "transaction",
    "decided_at": "decided_at",
    "started_at": "started_at",
    "kind": "kind",
    "checkpoint": "checkpoint__slug",
    "decision": "decision",
    "reasons": "reasons",
    "person": "person__name",
    "person_id": "person__external_id",
    "claimed_id": "claimed_id",
    "claimed_person": "claimed_person__name",
    "closest_person": "best_person__name",
    "next_person": "runner_up__name",
    "similarity": "similarity",
    "margin": "margin",
    "policy_version": "policy__version",
    "model_pack": "pack__name",
    "quality_score": "quality__scores__UnifiedQualityScore",
}
"""What is read of an event, by what it is called in the file."""

_OF_STAFF = ("override", "override_reason", "verdicts")
COLUMNS = (*_COLUMNS, *_OF_STAFF, "place")


class ExportFormat(enum.StrEnum):
    """How the file is written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


def export(*, wanted: EventFilter, form: ExportFormat, actor: User) -> Generator[bytes]:
    """The events that a filter keeps, newest first, as the pieces of a file.

    What was asked for is audited before the first of them.

    Args:
        wanted: the filter.
        form: how the file is written.
        actor: who gets it; of verdicts it has those that they may see.
    """
    details = {"format": form.value, "filter": _described(wanted)}
    audit.record(action=AuditAction.EVENTS_EXPORTED, actor=actor, subject=None, details=details)
    return _pieces(wanted, form, actor)


def _described(wanted: EventFilter) -> dict[str, Any]:
    """The filter without names: of a text only that there was one."""
    values = {field.name: getattr(wanted, field.name) for field in dataclasses.fields(wanted)}
    values["text"] = bool(wanted.text)
    values["person"] = wanted.person.pk if wanted.person is not None else None
    for edge in ("since", "until"):
        values[edge] = values[edge].isoformat() if values[edge] is not None else None
    # The live page is asked for by 0, which is something.
    return {name: value for name, value in values.items() if value or (value == 0 and value is not False)}


def _pieces(wanted: EventFilter, form: ExportFormat, actor: User) -> Generator[bytes]:
    is_csv = form is ExportFormat.CSV
    if is_csv:
        yield _csv([COLUMNS])
    # In a transaction the cursor of the server gives rows as they are found; without one it would keep them all first.
    with transaction.atomic():
        found = event_log.all_of(wanted, user=actor).values_list(*_COLUMNS.values())
        rows = found.iterator(chunk_size=ROWS_A_CHUNK)
        while chunk := list(itertools.islice(rows, ROWS_A_CHUNK)):
            full = _with_staff([dict(zip(_COLUMNS, row, strict=True)) for row in chunk], actor)
            yield _csv([_cell(row[name]) for name in COLUMNS] for row in full) if is_csv else _json_lines(full)


def _with_staff(rows: Sequence[dict[str, Any]], actor: User) -> Sequence[dict[str, Any]]:
    """The rows with what people did and said afterwards, and with the kind of place."""
    numbers = [row["event"] for row in rows]
    overrides = {row.event_id: row for row in EventOverride.objects.filter(event__in=numbers, is_repeat=False)}
    verdicts = defaultdict(list)
    for verdict in visible_verdicts(actor).filter(event__in=numbers, superseded_by=None):
        verdicts[verdict.event_id].append(verdict.code)
    for row in rows:
        row["place"] = _place(row["checkpoint"], row["reasons"])
        override = overrides.get(row["event"])
        row["reasons"] = [reason["reason"] for reason in row["reasons"]]
        row["override"] = override.outcome if override is not None else None
        row["override_reason"] = override.reason if override is not None else None
        row["verdicts"] = verdicts[row["event"]]
    return rows


def _place(checkpoint: str | None, reasons: Iterable[Mapping[str, Any]]) -> str:
    if checkpoint is not None:
        return "checkpoint"
    return "video" if EventPlace.of(None, reasons).is_video else "live_page"


def _json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row, default=_text, ensure_ascii=False)}\n" for row in rows).encode()


def _csv(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """A value for a spreadsheet; a text in it is never taken for a formula, and a number stays one."""
    if value is None or isinstance(value, int | float):
        return value
    return spreadsheet_cell(" ".join(value) if isinstance(value, list) else _text(value))


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
