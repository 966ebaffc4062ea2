from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.importing import labelled, layouts
from recognition.importing.entries import is_meant
from recognition.importing.labelled import LONGEST_FOLDER_BYTES


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("", "unnamed"),
        ("...", "unnamed"),
        ("/", "unnamed"),
        ("Ada Lovelace", "Ada Lovelace"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("../../etc/passwd", "etc passwd"),
        ("C:\\Windows", "C Windows"),
        (".hidden", "hidden"),
        ("__MACOSX", "MACOSX"),
        ("a\nb\0c\td", "a b c d"),
        ("\u202egnp.exe", "gnp.exe"),
        ("con", "con (1)"),
        ("LPT1.txt", "LPT1.txt (1)"),
        ("Ada. ", "Ada"),
        ("\u540d" * 100, "\u540d" * (LONGEST_FOLDER_BYTES // 3)),
    ],
)
def test_a_label_becomes_a_name_that_every_file_system_takes(label: str, name: str) -> None:
    assert labelled.folder_name(label) == name


@given(st.lists(st.text(max_size=120)))
def test_each_label_has_a_folder_of_its_own_that_leads_nowhere_else(labels: list[str]) -> None:
    names = labelled.folder_names(labels)
    assert len({unicodedata.normalize("NFKC", name).casefold() for name in names}) == len(labels)
    for name in names:
        assert name.isprintable()
        assert not set(name) & set('<>:"/\\|?*')
        assert is_meant(f"{name}/originals/0001.jpg")
        assert 0 < len(name.encode()) <= 255


def test_the_same_label_twice_gets_a_number_also_where_only_capital_letters_differ() -> None:
    names = labelled.folder_names(["Ada", "ada", "Ada", "Ada (2)"])
    assert names == ["Ada", "ada (2)", "Ada (3)", "Ada (2) (2)"]


def test_originals_show_whom_their_folder_is_called_after_and_aligned_crops_are_left_out() -> None:
    paths = [path for number in (1, 2) for path in labelled.picture_paths("people/Ada", number)]
    planned = layouts.planned(paths)
    assert [(file.path, file.person.name if file.person else None) for file in planned] == [
        ("people/Ada/originals/0001.jpg", "Ada"),
        ("people/Ada/originals/0002.jpg", "Ada"),
    ]


@pytest.mark.parametrize(
    ("path", "label"), [("aligned/1.jpg", "aligned"), ("originals/1.jpg", "originals"), ("x/aligned/1.jpg", "aligned")]
)
def test_folders_that_only_happen_to_be_called_so_are_people(path: str, label: str) -> None:
    planned = layouts.planned([path, "Bob/1.jpg"])
    assert {file.person.name for file in planned if file.person} == {label, "Bob"}
