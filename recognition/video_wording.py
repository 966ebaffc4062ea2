"""What is said of a video, in pages and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recognition.decision import appearances
from recognition.decision.appearances import Appearance
from recognition.decision.verdict import Decision
from recognition.import_wording import spreadsheet_cell

COLUMNS = ("kind", "person", "name", "first_s", "last_s", "appearances", "similarity", "decision")
"""Of the table of a video."""


def clock(at_s: float) -> str:
    """A time in a video, as players show it, to a tenth of a second."""
    tenths = round(at_s * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


def rows(seen: Sequence[Appearance]) -> Iterator[tuple[object, ...]]:
    """The table of a video: the people in it, then every appearance."""
    for person in appearances.people(seen):
        name = spreadsheet_cell(person.person_name)
        span = (f"{person.first_s:.3f}", f"{person.last_s:.3f}", len(person.appearances), f"{person.similarity:.4f}")
        yield "person", person.person_id, name, *span, Decision.ACCEPT.value
    for each in seen:
        similarity = "" if each.similarity is None else f"{each.similarity:.4f}"
        span = (f"{each.first_s:.3f}", f"{each.last_s:.3f}", 1, similarity)
        decision = each.decision.value if each.decision else ""
        yield "appearance", each.person_id or "", spreadsheet_cell(each.person_name), *span, decision
