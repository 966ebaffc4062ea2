"""The event loop of the web server."""

from __future__ import annotations


def install() -> None:
    """Have Twisted run on uvloop's loop, which spends less time on each message than Python's own.

    To be called before Django is set up: Daphne, as an app, installs Python's when it is imported.
    """
    # Imported here, because only a server needs them.
    import uvloop
    from twisted.internet import asyncioreactor

    asyncioreactor.install(uvloop.new_event_loop())  # type: ignore[no-untyped-call]  # Twisted is untyped here
