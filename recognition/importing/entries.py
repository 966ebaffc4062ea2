"""Files of an import by their paths, and why one of them, or all, cannot be taken."""

from __future__ import annotations

import dataclasses
import enum
import unicodedata
from pathlib import PurePosixPath

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""Files with other names are not looked at; whether one is an image is told by its content later."""

SYSTEM_FILES = frozenset({"Thumbs.db", "desktop.ini"})
"""What Windows puts into folders of photos; macOS begins its names with a dot."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""With these a spreadsheet takes a text for a formula; an apostrophe before them prevents it."""

MOST_FILES = 100_000
"""Files of one import: LFW, twenty times over."""

LONGEST_NAME = 200
"""Characters of a person's name, as the database has it."""


class Refusal(enum.StrEnum):
    """Why nothing of an import is taken."""

    NOT_AN_ARCHIVE = "not_an_archive"
    DAMAGED_FILE = "damaged_file"
    TOO_MANY_FILES = "too_many_files"
    TOO_LARGE_UNPACKED = "too_large_unpacked"
    PACKED_TOO_TIGHTLY = "packed_too_tightly"
    UNSAFE_PATH = "unsafe_path"
    LINK_INSIDE = "link_inside"
    ENCRYPTED = "encrypted"
    TWICE_THE_SAME_PATH = "twice_the_same_path"
    UNKNOWN_COMPRESSION = "unknown_compression"
    LIST_NOT_TEXT = "list_not_text"
    LIST_WITHOUT_COLUMN = "list_without_column"
    LIST_UNKNOWN_COLUMN = "list_unknown_column"
    LIST_BROKEN_LINE = "list_broken_line"
    LIST_BAD_VALUE = "list_bad_value"
    LIST_CONTRADICTS_ITSELF = "list_contradicts_itself"
    NO_IMAGES = "no_images"


class Skip(enum.StrEnum):
    """Why one file was not looked at."""

    NOT_AN_IMAGE = "not_an_image"
    NO_NAME = "no_name"
    NAME_TOO_LONG = "name_too_long"
    NOT_LISTED = "not_listed"
    MISSING = "missing"
    UNKNOWN_GROUP = "unknown_group"
    NOT_LOOKED_AT = "not_looked_at"


class ImportRefused(Exception):
    """Nothing of the import is taken.

    Args:
        refusal: why.
        parameters: of the sentence: a path, a line, a number.
    """

    def __init__(self, refusal: Refusal, **parameters: object) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.parameters = parameters


@dataclasses.dataclass(frozen=True, slots=True)
class PersonData:
    """Who a file shows, and what is to be stored of them if they are new.

    Args:
        name: as they are to be called; may be empty where the external id is known already.
        external_id: of the badge; empty where there is none.
        groups: names of groups that exist.
        notes: for colleagues.
        valid_from: ISO 8601, empty for always.
        valid_until: the same.
    """

    name: str
    external_id: str = ""
    groups: tuple[str, ...] = ()
    notes: str = ""
    valid_from: str = ""
    valid_until: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file of an import.

    Args:
        path: inside the folder or archive, with slashes.
        person: whom it shows; None where it is left out.
        skip: why it is left out; None where it is not.
    """

    path: str
    person: PersonData | None
    skip: Skip | None = None


def is_meant(path: str) -> bool:
    """Whether somebody put a file there, and not their system, which hides some in folders and archives."""
    place = PurePosixPath(path)
    return place.name not in SYSTEM_FILES and not any(part.startswith((".", "__MACOSX")) for part in place.parts)


def is_image(path: str) -> bool:
    """Whether a file is named like an image."""
    return PurePosixPath(path).suffix.lower() in IMAGE_SUFFIXES


def is_text(name: str) -> bool:
    """Whether a name can be stored; a folder's may hold bytes that are no text, which Python keeps as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def cleaned_name(text: str) -> str:
    """A person's name: underscores are spaces, spaces are single, and letters are composed (macOS takes them apart)."""
    return unicodedata.normalize("NFC", " ".join(text.replace("_", " ").split()))
