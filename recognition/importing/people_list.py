"""`people.csv`: which file shows whom, with what is to be stored of them."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from recognition.importing import labelled
from recognition.importing.entries import (
    FORMULA_STARTS,
    LONGEST_NAME,
    MOST_FILES,
    ImportRefused,
    PersonData,
    PlannedFile,
    Refusal,
    Skip,
    cleaned_name,
    is_image,
    is_meant,
)

FILE_NAME = "people.csv"
COLUMNS = ("file", "name", "external_id", "groups", "notes", "valid_from", "valid_until")
LONGEST_EXTERNAL_ID = 100
LONGEST_NOTES = 10_000
MOST_BYTES = 50 * 2**20


def planned(content: bytes, paths: Collection[str], folder: str = "") -> tuple[PlannedFile, ...]:
    """Names the person of each listed file, in the order of the list; files that are not listed follow.

    Args:
        content: of the list: UTF-8, comma or semicolon between fields, a header line with names of `COLUMNS`
            in any order. `file` and one of `name` and `external_id` are needed. Groups are separated by |,
            moments are ISO 8601.
        paths: of all files.
        folder: that the list lies in; its paths are relative to it.

    Raises:
        ImportRefused: for a list that cannot be read in full; the parameters name line and column.
    """
    there = set(paths)
    listed: dict[str, PlannedFile] = {}
    known: dict[str, PersonData] = {}
    for line, row in _rows(content):
        person = _person(line, row)
        path = str(PurePosixPath(folder) / _required(line, row, "file"))
        if path in listed:
            raise ImportRefused(Refusal.LIST_CONTRADICTS_ITSELF, line=line, column="file")
        key = f"id:{person.external_id}" if person.external_id else f"name:{person.name}"
        if known.setdefault(key, person) != person:
            raise ImportRefused(Refusal.LIST_CONTRADICTS_ITSELF, line=line, column="name")
        listed[path] = PlannedFile(path, person) if path in there else PlannedFile(path, None, Skip.MISSING)
    others = [path for path in labelled.without_derived(there) if path not in listed]
    others = sorted(path for path in others if is_meant(path) and not _is_list(path))
    return (*listed.values(), *(PlannedFile(path, None, _why_not(path)) for path in others))


def _is_list(path: str) -> bool:
    return PurePosixPath(path).name.lower() == FILE_NAME


def _why_not(path: str) -> Skip:
    return Skip.NOT_LISTED if is_image(path) else Skip.NOT_AN_IMAGE


def _rows(content: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportRefused(Refusal.LIST_NOT_TEXT) from error
    head = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ",", strict=True
    )
    try:
        columns = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        _check_columns(columns)
        reader.fieldnames = columns
        for row in reader:
            if reader.line_num > MOST_FILES:
                raise ImportRefused(Refusal.TOO_MANY_FILES, most=MOST_FILES)
            # Cells beyond the header, and rows that are too short, both come without a text.
            if None in row or None in row.values():
                raise ImportRefused(Refusal.LIST_BROKEN_LINE, line=reader.line_num)
            yield reader.line_num, {name: _plain(value.strip()) for name, value in row.items()}
    except csv.Error as error:
        raise ImportRefused(Refusal.LIST_BROKEN_LINE, line=reader.line_num) from error


def _plain(cell: str) -> str:
    """The text of a cell; an apostrophe kept a spreadsheet from taking it for a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell


def _check_columns(columns: list[str]) -> None:
    for name in columns:
        if name not in COLUMNS or columns.count(name) > 1:
            raise ImportRefused(Refusal.LIST_UNKNOWN_COLUMN, column=name[:40])
    if "file" not in columns:
        raise ImportRefused(Refusal.LIST_WITHOUT_COLUMN, column="file")
    if not {"name", "external_id"} & set(columns):
        raise ImportRefused(Refusal.LIST_WITHOUT_COLUMN, column="name")


def _person(line: int, row: Mapping[str, str]) -> PersonData:
    name, external_id, notes = cleaned_name(row.get("name", "")), row.get("external_id", ""), row.get("notes", "")
    if len(name) > LONGEST_NAME or not (name or external_id):
        raise ImportRefused(Refusal.LIST_BAD_VALUE, line=line, column="name")
    if len(external_id) > LONGEST_EXTERNAL_ID:
        raise ImportRefused(Refusal.LIST_BAD_VALUE, line=line, column="external_id")
    if len(notes) > LONGEST_NOTES:
        raise ImportRefused(Refusal.LIST_BAD_VALUE, line=line, column="notes")
    groups = tuple(group.strip() for group in row.get("groups", "").split("|") if group.strip())
    since, until = _moment(line, row, "valid_from"), _moment(line, row, "valid_until")
    if since and until and dt.datetime.fromisoformat(since) >= dt.datetime.fromisoformat(until):
        raise ImportRefused(Refusal.LIST_BAD_VALUE, line=line, column="valid_until")
    person = PersonData(name, external_id, groups, notes, since, until)
    if any("\0" in text for text in (*groups, *dataclasses.astuple(person)) if isinstance(text, str)):
        raise ImportRefused(Refusal.LIST_BROKEN_LINE, line=line)
    return person


def _moment(line: int, row: Mapping[str, str], column: str) -> str:
    """A day or moment with a time zone, UTC where none is given; empty stays empty."""
    text = row.get(column, "")
    if not text:
        return ""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ImportRefused(Refusal.LIST_BAD_VALUE, line=line, column=column) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).isoformat()


def _required(line: int, row: Mapping[str, str], column: str) -> str:
    if not row[column] or "\0" in row[column]:
        raise ImportRefused(Refusal.LIST_BAD_VALUE, line=line, column=column)
    return row[column]
