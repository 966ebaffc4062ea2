"""Whom each file shows, by where it lies or how it is called."""

from __future__ import annotations

import enum
import re
from collections.abc import Container, Iterable
from pathlib import PurePosixPath

from recognition.importing import labelled
from recognition.importing.entries import (
    LONGEST_NAME,
    PersonData,
    PlannedFile,
    Skip,
    cleaned_name,
    is_image,
    is_meant,
    is_text,
)

_NUMBER = re.compile(r"[\s_.\-]*(?:\(\s*\d+\s*\)|\d+)?\s*$")
"""What tells photos of one person apart at the end of a file name: `_0001`, `-2`, ` (3)`."""


class Layout(enum.StrEnum):
    """How files are arranged."""

    AUTO = "auto"
    FOLDERS = "folders"
    FLAT = "flat"


def planned(paths: Iterable[str], layout: Layout = Layout.AUTO) -> tuple[PlannedFile, ...]:
    """Names the person of each image; other files are left out, and what systems hide is not mentioned.

    Args:
        paths: of all files, with slashes.
        layout: a folder a person (the folder that holds the file), or names in file names. Left to be
            found out, images in more than one folder, or in one for originals, are a folder a person, and all in one
            are flat.

    Returns:
        Sorted by path.
    """
    meant = sorted(labelled.without_derived([path for path in paths if is_meant(path)]))
    if layout is Layout.AUTO:
        photos = [path for path in meant if is_image(path)]
        folders = {str(PurePosixPath(path).parent) for path in photos}
        layout = Layout.FOLDERS if len(folders) > 1 or any(map(labelled.is_labelled, photos)) else Layout.FLAT
    return tuple(_planned(path, layout) for path in meant)


def _planned(path: str, layout: Layout) -> PlannedFile:
    if not is_image(path):
        return PlannedFile(path, None, Skip.NOT_AN_IMAGE)
    place = PurePosixPath(path)
    name = cleaned_name(labelled.label_of(path) if layout is Layout.FOLDERS else _NUMBER.sub("", place.stem))
    if not name or not is_text(name):
        return PlannedFile(path, None, Skip.NO_NAME)
    if len(name) > LONGEST_NAME:
        return PlannedFile(path, None, Skip.NAME_TOO_LONG)
    return PlannedFile(path, PersonData(name))


def free_path(path: str, taken: Container[str]) -> str:
    """A path that no other file has: a second `Ada_1.jpg` becomes `Ada (2).jpg`, which shows the same person."""
    place = PurePosixPath(path)
    stem = _NUMBER.sub("", place.stem)
    number, free = 2, path
    while free in taken:
        free = str(place.with_name(f"{stem} ({number}){place.suffix}".lstrip()))
        number += 1
    return free
