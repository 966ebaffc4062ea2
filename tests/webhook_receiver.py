"""A door's end of a webhook: a real HTTP server that remembers its calls."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One call as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Answers with what `answer` says: a status, or a status and an address to go to."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.called = threading.Semaphore(0)
        self.answer: Callable[[int], int] = lambda number: 200
        self.location = ""
        self.held: threading.Event | None = None
        self.url = ""


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on a port of this machine."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.calls.append(Call(self.path, dict(self.headers), body))
            number = len(kept.calls)
            kept.called.release()
            if kept.held is not None:
                kept.held.wait(30)
            try:
                self.send_response(kept.answer(number))
                if kept.location:
                    self.send_header("Location", kept.location)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:  # whoever called has gone: the answer came too late
                self.close_connection = True

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield kept
    finally:
        if kept.held is not None:
            kept.held.set()
        server.shutdown()
        thread.join()
        server.server_close()
