from __future__ import annotations

import pytest

from recognition.admin import csv_files


def test_a_file_without_rows_has_its_header() -> None:
    response = csv_files.response("empty", ("one", "two"), [])
    assert response.content == b"one,two\r\n"
    assert response["Content-Disposition"] == 'attachment; filename="empty.csv"'


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "\tx"])
def test_a_name_is_never_a_formula(name: str) -> None:
    response = csv_files.response("names", ("name",), [(name,)])
    assert response.content.decode().splitlines()[1].startswith(("'", "\"'"))


def test_numbers_stay_numbers_and_nothing_is_empty() -> None:
    response = csv_files.response("numbers", ("a", "b", "c"), [(-0.5, 3, None)])
    assert response.content.decode().splitlines()[1] == "-0.5,3,"
