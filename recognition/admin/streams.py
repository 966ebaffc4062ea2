"""Answers that are larger than memory should hold: sent piece by piece, to be saved and never to be run."""

from __future__ import annotations

import functools
import re
from collections.abc import AsyncIterator, Callable, Generator
from http import HTTPStatus

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
"""What players send; several ranges at once are answered by the whole, as RFC 9110, 14.2, allows."""


def download(
    request: HttpRequest, pieces: Generator[bytes], *, content_type: str, file_name: str
) -> StreamingHttpResponse:
    """A file to be saved.

    Args:
        request: to which it is the answer.
        pieces: of the file.
        content_type: what it is.
        file_name: what it is called; letters, digits, points and dashes.
    """
    response = StreamingHttpResponse(
        _in_threads(pieces) if isinstance(request, ASGIRequest) else pieces, content_type=content_type
    )
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


Reader = Callable[[int, int], Generator[bytes]]
"""Gives the bytes from the first number to before the second."""


def part(request: HttpRequest, read: Reader, *, size: int, content_type: str, file_name: str) -> HttpResponseBase:
    """A file, or the part of it that a player asks for, so that it can jump about in it.

    Args:
        request: to which it is the answer.
        read: see `Reader`.
        size: of the file, in bytes.
        content_type: what it is.
        file_name: as for `download`.
    """
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    start, stop = _span(asked, size) if asked is not None else (0, size)
    if start >= stop:
        headers = {"Content-Range": f"bytes */{size}"}
        return HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    response = download(request, read(start, stop), content_type=content_type, file_name=file_name)
    response["Accept-Ranges"] = "bytes"
    response["Content-Length"] = str(stop - start)
    if asked is not None:
        response.status_code = HTTPStatus.PARTIAL_CONTENT
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return response


def _span(asked: re.Match[str], size: int) -> tuple[int, int]:
    first, last = asked.groups()
    if not first:
        return (max(size - int(last), 0), size) if last else (0, size)
    return int(first), min(int(last) + 1, size) if last else size


async def _in_threads(pieces: Generator[bytes]) -> AsyncIterator[bytes]:
    """The pieces for a server that waits for nothing: of an ordinary iterator it would read all before it sends any."""
    following = sync_to_async(functools.partial(next, pieces, None))
    try:
        while (piece := await following()) is not None:
            yield piece
    finally:
        # Where the reader leaves in the middle, what was begun in that thread has to end there.
        await sync_to_async(pieces.close)()
