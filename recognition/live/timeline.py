"""Who was seen when in a recording: appearances of faces, and people by their appearances."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from recognition.decision.verdict import Decision
from recognition.live.session import FaceView, Finished
from recognition.services.frames import SeenFace


@dataclasses.dataclass(slots=True)
class Appearance:
    """One face from when it came until it went.

    Args:
        track_id: the session's name of it.
        first_s: when it was first seen, in seconds from the beginning.
        last_s: when it was last seen.
        decision: what was decided about it; None without a decision.
        person_id: who it is; None for somebody unknown.
        person_name: as enrolled; empty for somebody unknown.
        similarity: of the vote that decided; None without one.
        crop_jpeg: its best view; empty where none was good enough.
        best_score: quality of that, 0..1.
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
        first_s: when they were first seen.
        last_s: when they were last seen.
        appearances: how often they came.
        similarity: the highest of a decision.
        crop_jpeg: the best view of all.
    """

    person_id: int
    person_name: str
    first_s: float
    last_s: float
    appearances: int
    similarity: float
    crop_jpeg: bytes


class Timeline:
    """Of one recording; grows with the faces in it, not with its length."""

    def __init__(self) -> None:
        """Begins with nobody."""
        self._appearances: dict[str, Appearance] = {}

    def see(self, at_s: float, views: Iterable[FaceView], faces: Iterable[SeenFace]) -> None:
        """Takes in one frame.

        Args:
            at_s: when it is shown.
            views: of its faces, as the session has them.
            faces: the same ones, in the same order, as the worker has them.
        """
        for view, face in zip(views, faces, strict=True):
            seen = self._appearances.setdefault(view.track_id, Appearance(view.track_id, at_s, at_s))
            seen.last_s = at_s
            if face.crop_jpeg and face.quality.score > seen.best_score:
                seen.crop_jpeg, seen.best_score = face.crop_jpeg, face.quality.score

    def decide(self, finished: Finished) -> float:
        """Takes in what was decided about a face.

        Returns:
            When that face was first seen, in seconds from the beginning.
        """
        seen = self._appearances[finished.track_id]
        record, best = finished.record, finished.record.leading.best if finished.record.leading else None
        seen.decision = record.decision
        seen.similarity = best.similarity if best else None
        if record.decision is Decision.ACCEPT and best is not None:
            seen.person_id, seen.person_name = best.person_id, best.person_name
        return seen.first_s

    @property
    def appearances(self) -> tuple[Appearance, ...]:
        """Those with a view that was good enough or with a decision, in the order in which they came."""
        return tuple(each for each in self._appearances.values() if each.crop_jpeg or each.decision)

    @property
    def unusable(self) -> int:
        """How many others there were: too small, too blurred or too far aside in every frame, or no face after all."""
        return len(self._appearances) - len(self.appearances)

    @property
    def people(self) -> tuple[PersonInVideo, ...]:
        """Who was recognised, in the order in which they came."""
        by_person: dict[int, list[Appearance]] = {}
        for each in self._appearances.values():
            if each.person_id is not None:
                by_person.setdefault(each.person_id, []).append(each)
        return tuple(_together(person_id, theirs) for person_id, theirs in by_person.items())


def _together(person_id: int, theirs: list[Appearance]) -> PersonInVideo:
    best = max(theirs, key=lambda each: each.best_score)
    return PersonInVideo(
        person_id,
        theirs[0].person_name,
        min(each.first_s for each in theirs),
        max(each.last_s for each in theirs),
        len(theirs),
        max(each.similarity or -1.0 for each in theirs),
        best.crop_jpeg,
    )
