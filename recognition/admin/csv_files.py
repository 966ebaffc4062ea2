"""Tables as files that a spreadsheet opens."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from recognition.import_wording import spreadsheet_cell


def response(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A CSV file to be saved: UTF-8, commas, numbers with a point.

    Args:
        name: of the file, without its ending.
        header: names of the columns.
        rows: numbers, texts, and None for nothing.
    """
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(answer)
    writer.writerow(header)
    writer.writerows([_harmless(value) for value in row] for row in rows)
    return answer


def _harmless(value: object) -> object:
    """Names come from outside: a spreadsheet must show one, and never compute it."""
    return spreadsheet_cell(value) if isinstance(value, str) else value
