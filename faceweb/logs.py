"""Log lines as text or as JSON, without what people typed, are called, or look like.

Our own lines name nobody. What others add may: the text of an exception repeats the value that it was raised for,
PostgreSQL's tells whole rows, an address holds the number of a person. So of an exception the type and the place are
logged, of a database error its SQLSTATE, and of a request the pattern of its address.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import traceback
from typing import Any

from django.db import Error

OURS = ("recognition", "faceweb")
"""What these loggers say of an expected error, they chose to say."""

_VALUES = (
    (re.compile(r"\buri=\S+"), "uri=..."),  # Daphne's requests, with what was searched for
    (re.compile(r"\b(exception=\w+)\(.*\)"), r"\1(...)"),  # asyncio's tasks that nobody waited for
    (
        re.compile(r"(?m)^(Traceback \(most recent call last\):\n(?:  .*\n)+[\w.]+): .*"),
        r"\1",
    ),  # in a message of Daphne's
)


class TextFormatter(logging.Formatter):
    """One line a record, and a traceback below it where there is one."""

    def __init__(self) -> None:
        """Take the layout of every line."""
        super().__init__("{asctime} {levelname} {name} {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return super().format(_without_values(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802  # as logging names it
        """Return where each exception of a chain was raised, and of which type it is."""
        return "\n".join(_chain(ei[1]))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, process, message, and where there is one, the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        record = _without_values(record)
        time = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": time,
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1]:
            line["error"] = _named(record.exc_info[1])
            line["traceback"] = _chain(record.exc_info[1])
        return json.dumps(line)


def _without_values(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy that names types and patterns; other handlers get the record as it is."""
    copy = logging.makeLogRecord(record.__dict__)
    copy.exc_text = None  # another formatter's
    if isinstance(copy.args, tuple):
        path, route = _address(record)
        is_ours = record.name.startswith(OURS)
        copy.args = tuple(
            route if path is not None and value == path else _said(value, is_ours=is_ours) for value in copy.args
        )
    message = copy.getMessage()
    for pattern, instead in _VALUES:
        message = pattern.sub(instead, message)
    copy.msg, copy.args = message, None
    return copy


def _address(record: logging.LogRecord) -> tuple[str | None, str]:
    """Return the path of the request that a record is about, if it is about one, and what to write instead."""
    request = getattr(record, "request", None)
    path = getattr(request, "path", None)
    found = getattr(request, "resolver_match", None)
    return path, f"/{found.route}" if found is not None else "an address that is none"


def _said(value: object, *, is_ours: bool) -> object:
    """Return what may be told of a value in a line: of an error that may be about values, no more than its name."""
    if not isinstance(value, BaseException):
        return value
    return value if is_ours and not _sqlstate(value) else _named(value)


def _named(error: BaseException) -> str:
    state = _sqlstate(error)
    return type(error).__qualname__ + (f" (SQLSTATE {state})" if state else "")


def _sqlstate(error: BaseException) -> str:
    """Return PostgreSQL's code of an error; empty for others, such as a connection that failed."""
    cause = error.__cause__ if isinstance(error, Error) else error
    return getattr(cause, "sqlstate", None) or ""


def _chain(error: BaseException | None) -> list[str]:
    """Return the lines of a traceback, the first cause first, without what the exceptions say."""
    lines: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = "".join(traceback.format_tb(error.__traceback__)).splitlines()
        lines = [*frames, _named(error), *lines]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines
