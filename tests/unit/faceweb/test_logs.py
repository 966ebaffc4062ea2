"""What a line of the log says, and what it leaves out."""

from __future__ import annotations

import io
import json
import logging
from types import SimpleNamespace

import psycopg
import pytest
from django import db
from hypothesis import given
from hypothesis import strategies as st

from faceweb.logs import JsonFormatter, TextFormatter

FORMATTERS = pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()], ids=["text", "json"])


class Log:
    """A logger with what it wrote."""

    def __init__(self, formatter: logging.Formatter, name: str = "recognition.test") -> None:
        self._written = io.StringIO()
        handler = logging.StreamHandler(self._written)
        handler.setFormatter(formatter)
        self.logger = logging.Logger(name)  # noqa: LOG001  # one of its own, that nothing else hears
        self.logger.addHandler(handler)

    @property
    def text(self) -> str:
        return self._written.getvalue()


def database_error(value: str) -> db.Error:
    """As Django raises it for one of PostgreSQL's that tells a row."""
    error = db.IntegrityError(f"Key (name)=({value}) already exists.")
    error.__cause__ = psycopg.errors.UniqueViolation(f"Key (name)=({value}) already exists.")
    return error


def test_text_is_a_line_a_record() -> None:
    log = Log(TextFormatter())
    log.logger.warning("%d frames %s %s", 3, "100%", None)
    assert log.text.endswith(" WARNING recognition.test 3 frames 100% None\n")


def test_json_is_an_object_a_line() -> None:
    log = Log(JsonFormatter())
    log.logger.warning("%d frames\nof %s", 3, "two")
    line = json.loads(log.text)
    assert log.text.count("\n") == 1
    assert line["time"].endswith("+00:00")
    assert {name: line[name] for name in ("level", "logger", "message")} == {
        "level": "warning",
        "logger": "recognition.test",
        "message": "3 frames\nof two",
    }


@FORMATTERS
@given(value=st.text(st.characters(codec="ascii", categories=["L"]), min_size=12))
def test_of_an_exception_the_log_tells_type_and_place_and_not_its_text(
    formatter: logging.Formatter, value: str
) -> None:
    log = Log(formatter)
    try:
        try:
            raise KeyError(value)
        except KeyError as error:
            raise ValueError(f"no {value}") from error
    except ValueError:
        log.logger.exception("it failed")
    assert value not in log.text
    assert log.text.index("KeyError") < log.text.index("ValueError", log.text.index("KeyError"))
    assert "test_logs.py" in log.text


@FORMATTERS
def test_of_a_database_error_it_tells_the_code(formatter: logging.Formatter) -> None:
    log, error = Log(formatter), database_error("Ada")
    log.logger.error("it failed: %s", error)
    try:
        raise error
    except db.IntegrityError:
        log.logger.exception("it failed")
    assert "Ada" not in log.text
    assert log.text.count("IntegrityError (SQLSTATE 23505)") >= 2


@FORMATTERS
def test_an_expected_error_of_our_own_is_told_in_its_words(formatter: logging.Formatter) -> None:
    log = Log(formatter)
    log.logger.error("it failed: %s", db.OperationalError("the server closed the connection"))
    assert "it failed: the server closed the connection" in log.text


@FORMATTERS
@pytest.mark.parametrize(
    ("template", "args"),
    [
        ("Exception inside application: %s", (ValueError("Ada"),)),
        ("Application for connection %s was killed", ("<WebRequest method=GET uri=/people/?q=Ada clientproto=1>",)),
        ("future: <Task finished exception=ValueError('Ada')>", ()),
        ('Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nValueError: Ada', ()),
    ],
)
def test_what_libraries_say_of_values_is_left_out(
    formatter: logging.Formatter, template: str, args: tuple[object, ...]
) -> None:
    log = Log(formatter, "daphne.server")
    log.logger.error(template, *args)
    assert log.text
    assert "Ada" not in log.text


@FORMATTERS
def test_of_a_request_it_tells_the_pattern_of_the_address(formatter: logging.Formatter) -> None:
    log = Log(formatter, "django.request")
    request = SimpleNamespace(path="/person/4711/", resolver_match=SimpleNamespace(route="person/<int:id>/"))
    log.logger.error("Not Found: %s", request.path, extra={"request": request})
    request.resolver_match = None
    log.logger.error("Not Found: %s", request.path, extra={"request": request})
    assert "Not Found: /person/<int:id>/" in log.text
    assert "Not Found: an address that is none" in log.text
    assert "4711" not in log.text


def test_the_record_is_left_to_other_handlers_as_it_was() -> None:
    record = logging.makeLogRecord({"name": "x", "msg": "%s", "args": (database_error("Ada"),)})
    TextFormatter().format(record)
    assert "Ada" in record.getMessage()
