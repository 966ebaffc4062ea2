"""How long a kiosk does not look again at a face that it has not accepted."""

from __future__ import annotations

AGAIN_AFTER_S = 10.0
"""After a refusal somebody who stays is looked at again; after an accept they must leave first."""

LONGEST_PAUSE_S = 300.0
"""A face that cannot be seen well time after time, such as one on a poster, is looked at after a pause that doubles
up to this; else it would write two hundred records an hour."""

_MOST_DOUBLINGS = 10
"""The longest pause is reached long before."""


class Patience:
    """The face that could not be seen well, and how often in a row."""

    def __init__(self) -> None:
        """Begins with none."""
        self._track: str | None = None
        self._looks = 0

    def pause_s(self, track: str | None, *, was_unusable: bool) -> float:
        """Takes in how a look ended.

        Args:
            track: whose; a face that leaves and comes again has another name.
            was_unusable: whether it ended without one usable view.

        Returns:
            Seconds until the face is looked at again.
        """
        if not was_unusable:
            self._track, self._looks = None, 0
            return AGAIN_AFTER_S
        self._looks = self._looks + 1 if track == self._track else 1
        self._track = track
        return min(AGAIN_AFTER_S * 2.0 ** min(self._looks - 1, _MOST_DOUBLINGS), LONGEST_PAUSE_S)

    def is_worn_by(self, track: str) -> bool:
        """Whether that face is the one that could not be seen well."""
        return track == self._track
