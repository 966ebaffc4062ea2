from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.importing import layouts
from recognition.importing.entries import LONGEST_NAME, Skip
from recognition.importing.layouts import Layout


def names(paths: list[str], layout: Layout = Layout.AUTO) -> dict[str, str | None]:
    return {file.path: file.person.name if file.person else None for file in layouts.planned(paths, layout)}


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        ([], {}),
        ([".DS_Store", "__MACOSX/a/._1.jpg", "a/.hidden.jpg", "a/Thumbs.db"], {}),
        (["Ada/1.jpg", "Bob/1.heic", "Bob/2.jpg"], {"Ada/1.jpg": "Ada", "Bob/1.heic": None, "Bob/2.jpg": "Bob"}),
        (["Ada_Lovelace/1.jpg", "Bob/x.PNG"], {"Ada_Lovelace/1.jpg": "Ada Lovelace", "Bob/x.PNG": "Bob"}),
        (["staff/Ada/1.jpg", "staff/Bob/1.webp"], {"staff/Ada/1.jpg": "Ada", "staff/Bob/1.webp": "Bob"}),
        (
            ["Ada_Lovelace_0001.jpg", "Ada Lovelace (2).jpg", "Ada-Lovelace-3.jpg", "Bob.jpg"],
            {
                "Ada Lovelace (2).jpg": "Ada Lovelace",
                "Ada-Lovelace-3.jpg": "Ada-Lovelace",
                "Ada_Lovelace_0001.jpg": "Ada Lovelace",
                "Bob.jpg": "Bob",
            },
        ),
        (["photos/Ada_1.jpg", "photos/Bob_1.jpg"], {"photos/Ada_1.jpg": "Ada", "photos/Bob_1.jpg": "Bob"}),
        (["0001.jpg"], {"0001.jpg": None}),
        (["Zoe\u0308_1.jpg"], {"Zoe\u0308_1.jpg": "Zo\u00eb"}),
    ],
)
def test_whom_a_file_shows_is_told_by_its_place_or_its_name(paths: list[str], found: dict[str, str | None]) -> None:
    assert names(paths) == found


def test_the_layout_can_be_told() -> None:
    assert names(["Ada/1.jpg", "Ada/2.jpg"]) == {"Ada/1.jpg": None, "Ada/2.jpg": None}
    assert names(["Ada/1.jpg", "Ada/2.jpg"], Layout.FOLDERS) == {"Ada/1.jpg": "Ada", "Ada/2.jpg": "Ada"}
    assert names(["x/Ada_1.jpg", "y/Bob_1.jpg"], Layout.FLAT) == {"x/Ada_1.jpg": "Ada", "y/Bob_1.jpg": "Bob"}


def test_what_cannot_be_named_is_left_out_with_the_reason() -> None:
    long = "x" * (LONGEST_NAME + 1)
    files = layouts.planned(["1.jpg", "Ada.heic", f"{long}.jpg"], Layout.FLAT)
    assert [file.skip for file in files] == [Skip.NO_NAME, Skip.NOT_AN_IMAGE, Skip.NAME_TOO_LONG]


@given(st.lists(st.text(max_size=40)), st.sampled_from(Layout))
def test_whatever_the_paths_are_each_image_is_named_or_left_out(paths: list[str], layout: Layout) -> None:
    for file in layouts.planned(paths, layout):
        assert (file.person is None) == (file.skip is not None)
        assert file.person is None or 0 < len(file.person.name) <= LONGEST_NAME


@pytest.mark.parametrize(
    ("path", "taken", "free"),
    [
        ("Ada.jpg", [], "Ada.jpg"),
        ("Ada.jpg", ["Ada.jpg"], "Ada (2).jpg"),
        ("Ada.jpg", ["Ada.jpg", "Ada (2).jpg"], "Ada (3).jpg"),
        ("Ada_0001.jpg", ["Ada_0001.jpg"], "Ada (2).jpg"),
        ("Ada (2).jpg", ["Ada (2).jpg"], "Ada (3).jpg"),
        ("1.jpg", ["1.jpg"], "(2).jpg"),
        ("a.b/Ada", ["a.b/Ada"], "a.b/Ada (2)"),
        (".hidden", [".hidden"], ".hidden (2)"),
    ],
)
def test_a_path_that_is_taken_gets_a_number(path: str, taken: list[str], free: str) -> None:
    assert layouts.free_path(path, taken) == free


@pytest.mark.parametrize("path", ["Ada.jpg", "Ada_0001.jpg", "Ada (2).jpg"])
def test_with_its_number_a_photo_shows_the_same_person(path: str) -> None:
    assert list(names([layouts.free_path(path, [path])], Layout.FLAT).values()) == ["Ada"]
