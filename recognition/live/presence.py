"""Who stands before a kiosk: faces followed from frame to frame, and the one who is not looked at for a while."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from recognition.services.frames import SeenFace, TrackHint
from recognition.vision.types import BoundingBox

GONE_AFTER_S = 1.0
"""A face not seen for this long has left; shorter gaps are blinks of the detector."""


class Presence:
    """The faces of one camera, and which of them was decided about already."""

    def __init__(self) -> None:
        """Begins with nobody there."""
        self._numbers = itertools.count(1)
        self._tracks: dict[str, tuple[BoundingBox, float]] = {}
        self._held: str | None = None
        self._held_seen_s = -math.inf
        self._held_until_s = -math.inf

    def hints(self, now_s: float, *, due: bool) -> tuple[TrackHint, ...]:
        """What a worker must know of the faces.

        Args:
            now_s: a monotonic clock, in seconds.
            due: whether those that are known are to be embedded again.
        """
        self._forget_who_left(now_s)
        return tuple(TrackHint(track, box, due, better_than=math.inf) for track, (box, _) in self._tracks.items())

    def follow(self, faces: Iterable[SeenFace], now_s: float) -> list[tuple[str, SeenFace]]:
        """Takes the faces of a frame in; each with the name of its track."""
        self._forget_who_left(now_s)
        return [(self._followed(face, now_s), face) for face in faces]

    def is_empty(self, now_s: float) -> bool:
        """Whether nobody has been seen for a second."""
        self._forget_who_left(now_s)
        return not self._tracks

    def clear(self) -> None:
        """Forgets everybody."""
        self._tracks.clear()

    def present(self, track: str | None) -> str | None:
        """That face; the largest one where it is None or not there, and None where nobody is."""
        largest = max(self._tracks, key=lambda name: self._tracks[name][0].area, default=None)
        return track if track in self._tracks else largest

    def hold(self, track: str | None, now_s: float, *, until_s: float) -> None:
        """Keeps a face from being looked at anew until it leaves, or until a time.

        Args:
            track: whose, as `present` says it; None holds nobody.
            now_s: the same clock as everywhere.
            until_s: by that clock; infinite where only leaving helps.
        """
        self._held, self._held_seen_s, self._held_until_s = track, now_s, until_s

    def held(self, now_s: float) -> str | None:
        """The one who was held, while they are there and before their time."""
        if now_s - self._held_seen_s > GONE_AFTER_S or now_s >= self._held_until_s:
            self._held = None
        return self._held

    def _followed(self, face: SeenFace, now_s: float) -> str:
        # A hint of a face that has left meanwhile is not one of ours any more.
        track = face.track_id if face.track_id in self._tracks else None
        track = track or str(next(self._numbers))
        self._tracks[track] = face.box, now_s
        if track == self._held:
            self._held_seen_s = now_s
        return track

    def _forget_who_left(self, now_s: float) -> None:
        for track, (_, seen_s) in list(self._tracks.items()):
            if now_s - seen_s > GONE_AFTER_S:
                del self._tracks[track]
