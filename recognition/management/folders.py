"""Folders of photos on the command line: which files are in them, and their bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from django.core.management.base import CommandError

from recognition.management.base import FAILED
from recognition.vision.errors import TooManyBytes

Read = Callable[[str, int], bytes]
"""Gives the content of a path; raises `TooManyBytes` where it has more than allowed."""


def files_below(folder: Path) -> Sequence[str]:
    """The paths of all files below a folder, with slashes, sorted."""
    # Links to folders are not followed: they may lead round in a circle, or out of what was meant.
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def reader(folder: Path) -> Read:
    """Reads the files of a folder.

    Raises:
        CommandError: by what is returned, when a file cannot be read.
    """

    def read(path: str, most_bytes: int) -> bytes:
        try:
            with (folder / path).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > most_bytes:
                    raise TooManyBytes(size, most_bytes)
                return file.read(most_bytes)
        except OSError as error:
            raise CommandError(f"{folder / path} cannot be read: {error.strerror}.", returncode=FAILED) from error

    return read
