"""Faces in a recording from when they came until they went, and people by their appearances."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from recognition.decision.verdict import Decision


@dataclasses.dataclass(slots=True)
class Appearance:
    """One face from when it came until it went.

    Args:
        track_id: which one of the recording.
        first_s: when it was first seen, in seconds from the beginning.
        last_s: when it was last seen.
        decision: what was decided about it; None without a decision.
        person_id: who it is; None for somebody unknown.
        person_name: as enrolled; empty for somebody unknown.
        similarity: of the vote that decided; None without one.
        crop_jpeg: its best view; empty where none was good enough, or it is kept elsewhere.
        best_score: quality of that, 0..1; -1 where none was good enough.
    """

    track_id: str
    first_s: float
    last_s: float
    decision: Decision | None = None
    person_id: int | None = None
    person_name: str = ""
    similarity: float | None = None
    crop_jpeg: bytes = b""
    best_score: float = -1.0


@dataclasses.dataclass(frozen=True, slots=True)
class PersonInVideo:
    """One person's appearances together.

    Args:
        person_id: who.
        person_name: as enrolled.
        appearances: of them, one at least, in the order in which they came.
    """

    person_id: int
    person_name: str
    appearances: tuple[Appearance, ...]

    @property
    def first_s(self) -> float:
        """When they were first seen."""
        return min(each.first_s for each in self.appearances)

    @property
    def last_s(self) -> float:
        """When they were last seen."""
        return max(each.last_s for each in self.appearances)

    @property
    def similarity(self) -> float:
        """The highest of a decision."""
        return max(-1.0 if each.similarity is None else each.similarity for each in self.appearances)

    @property
    def best(self) -> Appearance:
        """The one with the best view."""
        return max(self.appearances, key=lambda each: each.best_score)


def people(appearances: Iterable[Appearance]) -> tuple[PersonInVideo, ...]:
    """Who was recognised, in the order in which they came."""
    by_person: dict[int, list[Appearance]] = {}
    for each in appearances:
        if each.person_id is not None:
            by_person.setdefault(each.person_id, []).append(each)
    return tuple(
        PersonInVideo(person_id, theirs[0].person_name, tuple(theirs)) for person_id, theirs in by_person.items()
    )
