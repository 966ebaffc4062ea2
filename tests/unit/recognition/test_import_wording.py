"""What speaks against an import is said with what to do."""

from __future__ import annotations

import pytest

from recognition import import_wording
from recognition.importing import people_list
from recognition.importing.entries import ImportRefused, Refusal

PARAMETERS = {"path": "a.jpg", "most": 5, "most_mb": 5, "most_gb": 5, "column": "notes", "line": 2}


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_is_a_sentence(refusal: Refusal) -> None:
    sentence = import_wording.refusal_sentence(ImportRefused(refusal, **PARAMETERS))
    assert sentence.endswith(".")
    assert "%(" not in sentence


@pytest.mark.parametrize("column", [name for name in people_list.COLUMNS if name != "groups"])
def test_a_value_that_is_none_is_told_with_what_the_column_holds(column: str) -> None:
    refused = ImportRefused(Refusal.LIST_BAD_VALUE, line=2, column=column)
    start, _, expected = import_wording.refusal_sentence(refused).partition(" must hold ")
    assert start == f"Line 2 of people.csv: the column “{column}”"
    assert expected not in ("", ".")
