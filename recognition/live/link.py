"""How many frames may be in flight: as few as keep the worker busy."""

from __future__ import annotations

from recognition.live.messages import MAX_WINDOW

SMOOTHING = 0.2
"""Weight of the newest measurement; about the last ten frames count."""

HIGHEST_LINK_MS = 10_000.0
"""A page cannot make its link seem longer than this."""


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
            server_ms: how long a frame was at the server.
        """
        link_ms = min(max(link_ms, 0.0), HIGHEST_LINK_MS)
        self._link_ms += SMOOTHING * (link_ms - self._link_ms)
        self._server_ms += SMOOTHING * (max(server_ms, 1.0) - self._server_ms)
        self.size = min(1 + round(self._link_ms / self._server_ms), MAX_WINDOW)
