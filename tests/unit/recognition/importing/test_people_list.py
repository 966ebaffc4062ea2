from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.importing import people_list
from recognition.importing.entries import ImportRefused, PersonData, Refusal, Skip

PATHS = ("1.jpg", "2.jpg", "sub/3.jpg", "people.csv")


def refused(content: str | bytes) -> ImportRefused:
    data = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(ImportRefused) as caught:
        people_list.planned(data, PATHS)
    return caught.value


@pytest.mark.parametrize(
    ("content", "refusal", "parameters"),
    [
        ("", Refusal.LIST_WITHOUT_COLUMN, {"column": "file"}),
        ("file\n1.jpg\n", Refusal.LIST_WITHOUT_COLUMN, {"column": "name"}),
        ("name\nAda\n", Refusal.LIST_WITHOUT_COLUMN, {"column": "file"}),
        ("file,name,age\n", Refusal.LIST_UNKNOWN_COLUMN, {"column": "age"}),
        ("file,name,name\n", Refusal.LIST_UNKNOWN_COLUMN, {"column": "name"}),
        (b"file,name\n1.jpg,\xff\n", Refusal.LIST_NOT_TEXT, {}),
        ("file,name\n1.jpg\n", Refusal.LIST_BROKEN_LINE, {"line": 2}),
        ("file,name\n1.jpg,Ada,more\n", Refusal.LIST_BROKEN_LINE, {"line": 2}),
        ("file,name\n1.jpg,\n", Refusal.LIST_BAD_VALUE, {"line": 2, "column": "name"}),
        (f"file,name\n1.jpg,{'x' * 201}\n", Refusal.LIST_BAD_VALUE, {"line": 2, "column": "name"}),
        ("file,name\n,Ada\n", Refusal.LIST_BAD_VALUE, {"line": 2, "column": "file"}),
        ("file,name,valid_from\n1.jpg,Ada,soon\n", Refusal.LIST_BAD_VALUE, {"line": 2, "column": "valid_from"}),
        (
            "file,name,valid_from,valid_until\n1.jpg,Ada,2026-02-01,2026-01-01\n",
            Refusal.LIST_BAD_VALUE,
            {"line": 2, "column": "valid_until"},
        ),
        ("file,name\n1.jpg,Ada\n1.jpg,Bob\n", Refusal.LIST_CONTRADICTS_ITSELF, {"line": 3, "column": "file"}),
        (
            "file,name,external_id\n1.jpg,Ada,7\n2.jpg,Bob,7\n",
            Refusal.LIST_CONTRADICTS_ITSELF,
            {"line": 3, "column": "name"},
        ),
        ('file,name\n1.jpg,"Ada\n', Refusal.LIST_BROKEN_LINE, None),
    ],
)
def test_a_list_that_cannot_be_read_in_full_is_refused_with_the_place(
    content: str | bytes, refusal: Refusal, parameters: dict[str, object] | None
) -> None:
    found = refused(content)
    assert found.refusal is refusal
    assert parameters is None or found.parameters == parameters


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_column_is_read(separator: str, mark: str) -> None:
    lines = [
        ["File", "External_ID", "name", "groups", "notes", "valid_from", "valid_until"],
        ["1.jpg", "7", "Ada_Lovelace", "staff | night", "left wing", "2026-01-01", "2026-12-31T18:00+01:00"],
    ]
    content = mark + "\r\n".join(separator.join(line) for line in lines)
    file, second, third = people_list.planned(content.encode(), PATHS)
    assert file.person == PersonData(
        "Ada Lovelace", "7", ("staff", "night"), "left wing", "2026-01-01T00:00:00+00:00", "2026-12-31T18:00:00+01:00"
    )
    assert [(each.path, each.skip) for each in (second, third)] == [
        ("2.jpg", Skip.NOT_LISTED),
        ("sub/3.jpg", Skip.NOT_LISTED),
    ]


def test_paths_are_relative_to_the_list_and_a_missing_one_is_told() -> None:
    files = people_list.planned(b"file,name\n3.jpg,Ada\n4.jpg,Ada\n", PATHS, "sub")
    assert [(file.path, file.skip) for file in files[:2]] == [("sub/3.jpg", None), ("sub/4.jpg", Skip.MISSING)]


@given(st.binary(max_size=300))
def test_whatever_a_list_holds_it_is_read_or_refused(content: bytes) -> None:
    try:
        files = people_list.planned(content, PATHS)
    except ImportRefused:
        return
    assert all((file.person is None) == (file.skip is not None) for file in files)


@given(st.text(max_size=200))
def test_whatever_follows_a_header_is_read_or_refused(rows: str) -> None:
    # Any other exception fails the test.
    with contextlib.suppress(ImportRefused):
        people_list.planned(f"file,name,valid_until,groups\n{rows}".encode("utf-8", "replace"), PATHS)
