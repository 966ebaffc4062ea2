"""Who was seen when in a recording, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable

from recognition.decision import appearances
from recognition.decision.appearances import Appearance, PersonInVideo
from recognition.decision.verdict import Decision
from recognition.live.session import FaceView, Finished
from recognition.services.frames import SeenFace


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
        return appearances.people(self._appearances.values())
