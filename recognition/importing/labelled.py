"""Labelled folders: `LABEL/originals/0001.jpg` and `LABEL/aligned/0001.jpg`, a label for each person.

The originals are what is read back; the aligned crops are made of them, and say nothing new of anybody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

ORIGINALS, ALIGNED = "originals", "aligned"

LONGEST_FOLDER_BYTES = 200
"""Most file systems take names of 255 bytes; what is left is for a number."""

UNNAMED = "unnamed"
"""For a label of which no character may be in the name of a folder."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
"""In a name of a folder on Windows; elsewhere only the slash is."""

_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""What Windows takes for a device, with any ending."""


def folder_name(label: str) -> str:
    """The label as a name that every file system takes for a folder, and that is not hidden."""
    composed = unicodedata.normalize("NFC", label)
    visible = "".join(character if character.isprintable() else " " for character in composed)
    name = " ".join(_FORBIDDEN.sub(" ", visible).split()).strip("._ ")
    name = name.encode("utf-8", "ignore")[:LONGEST_FOLDER_BYTES].decode("utf-8", "ignore").rstrip("._ ") or UNNAMED
    return f"{name} (1)" if _DEVICES.fullmatch(name) else name


def folder_names(labels: Iterable[str]) -> list[str]:
    """A folder for each label, none twice; also on disks that do not tell capital letters apart."""
    taken: set[str] = set()
    return [_free(folder_name(label), taken) for label in labels]


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while _alike(free) in taken:
        free, number = f"{name} ({number})", number + 1
    taken.add(_alike(free))
    return free


def _alike(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def picture_paths(folder: str, number: int) -> tuple[str, str]:
    """Where a picture and its aligned crop are, with slashes."""
    return f"{folder}/{ORIGINALS}/{number:04d}.jpg", f"{folder}/{ALIGNED}/{number:04d}.jpg"


def is_labelled(path: str) -> bool:
    """Whether a file is one of the originals of a label."""
    return PurePosixPath(path).parent.name == ORIGINALS


def label_of(path: str) -> str:
    """The name of the folder that says whom a file shows: the one that holds it, or that holds its originals."""
    parent = PurePosixPath(path).parent
    return parent.parent.name if parent.name == ORIGINALS and parent.parent.name else parent.name


def without_derived(paths: Collection[str]) -> list[str]:
    """The paths but for those of aligned crops that lie beside their originals."""
    labelled = {PurePosixPath(path).parent.parent for path in paths if is_labelled(path)}
    return [path for path in paths if not _is_aligned(PurePosixPath(path), labelled)]


def _is_aligned(place: PurePosixPath, labelled: Collection[PurePosixPath]) -> bool:
    return place.parent.name == ALIGNED and place.parent.parent in labelled
