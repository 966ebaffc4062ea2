"""How many frames may be in flight: as few as keep the worker busy."""

from __future__ import annotations

import math

from recognition.live.messages import MAX_WINDOW

SMOOTHING = 0.2
"""Weight of the newest measurement; about the last ten frames count."""

HIGHEST_LINK_MS = 10_000.0
"""A page cannot make its link seem longer than this."""

SHORT_LINK = 0.1
"""Share of a worker's time below which waiting for the link is not worth a frame more in flight."""

LONG_LINK_MS = 10.0
"""Below this two frames in flight cover the link of any camera. A third would be needed only where the worker takes
less time than the link for a frame, and there it is dropped as soon as something else delays an answer."""


class LinkWindow:
    """Follows the link and worker times of a session and says how many frames it may send ahead.

    With one frame in flight the worker waits for the link after each. One more frame covers the
    link for as long as the worker takes for a frame.
    """

    def __init__(self) -> None:
        """Starts with one frame, the right number for a short link."""
        self._link_ms = 0.0
        self._server_ms = 1.0
        self.size = 1

    def measured(self, *, link_ms: float, server_ms: float) -> None:
        """Takes a measurement in.

        Args:
            link_ms: what the page measured; 0 before its first result.
            server_ms: how long a frame was with the worker; not its waiting for the frame before it, which
                more frames in flight would lengthen.
        """
        link_ms = min(max(link_ms, 0.0), HIGHEST_LINK_MS)
        self._link_ms += SMOOTHING * (link_ms - self._link_ms)
        self._server_ms += SMOOTHING * (max(server_ms, 1.0) - self._server_ms)
        largest = MAX_WINDOW if self._link_ms >= LONG_LINK_MS else 2
        self.size = min(1 + math.ceil(self._link_ms / self._server_ms - SHORT_LINK), largest)
