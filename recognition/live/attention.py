"""Where a camera's next frame is looked at: everywhere, or only around the faces that are followed.

Looking everywhere costs a multiple. What it finds in addition is who comes, and that may wait for a moment; but
whatever is to be decided is decided about a frame that was looked at everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from recognition.services.frames import FrameOutcome, TrackHint
from recognition.vision.types import BoundingBox

EVERYWHERE_EVERY_S = 0.3
"""A newcomer is seen so much later at most, while somebody is there already."""

MOST_AROUND = 3
"""Faces that are looked for around where they were; with more it is no cheaper than everywhere."""


class Attention:
    """Of one camera."""

    def __init__(self) -> None:
        """Begins with the need to look everywhere."""
        self._everywhere_s = -math.inf

    def near(self, hints: Sequence[TrackHint], now_s: float) -> tuple[BoundingBox, ...]:
        """The boxes around which the next frame is looked at; empty where it has to be everywhere.

        Args:
            hints: of the faces that are followed.
            now_s: a monotonic clock, in seconds.
        """
        is_fresh = now_s - self._everywhere_s < EVERYWHERE_EVERY_S
        if not is_fresh or len(hints) > MOST_AROUND or any(hint.due for hint in hints):
            return ()
        return tuple(hint.box for hint in hints)

    def looked(self, outcome: FrameOutcome, now_s: float) -> None:
        """Takes in how a frame was looked at."""
        if outcome.everywhere:
            self._everywhere_s = now_s
