"""Photos that a command line names: files, folders of them, and never an address."""

from __future__ import annotations

import argparse
import dataclasses
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from django.core.management.base import CommandError
from tqdm import tqdm

from recognition import wording
from recognition.importing import entries
from recognition.management import folders
from recognition.management.base import FAILED
from recognition.services.search import SearchRefused
from recognition.vision import images
from recognition.vision.errors import TooManyBytes
from recognition.vision.images import STILL_LIMITS

T = TypeVar("T")

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://|data:", re.IGNORECASE)

_SHOWN_CHARACTERS = 60
"""Of an address; one with data in it may be very long."""


@dataclasses.dataclass(frozen=True, slots=True)
class Looked(Generic[T]):
    """A photo that was looked at.

    Args:
        path: of the file.
        answer: what was found out; None where nothing could be.
        problem: why not, and what to do; empty where there is an answer.
    """

    path: Path
    answer: T | None
    problem: str = ""

    def problem_json(self) -> dict[str, Any]:
        """The problem for --json."""
        return {"file": str(self.path), "error": self.problem}

    def problem_words(self) -> str:
        """The problem for people."""
        return f"{self.path}: {self.problem}"


def place(text: str) -> Path:
    """A file or folder as it is typed; for `type` of an argument.

    Raises:
        ArgumentTypeError: for an address.
    """
    if _ADDRESS.match(text):
        raise argparse.ArgumentTypeError(
            f"{text[:_SHOWN_CHARACTERS]} is an address, and none is ever fetched. Save the photo, and name its file."
        )
    return Path(text)


def is_one(places: Sequence[Path]) -> bool:
    """Whether they name a single photo, whose problem is the command's own."""
    return len(places) == 1 and not places[0].is_dir()


def looked_at(places: Sequence[Path], look: Callable[[bytes], T], *, quiet: bool) -> list[Looked[T]]:
    """Looks at each photo, a folder being each of its files; one that cannot be used does not keep the rest.

    Args:
        places: files and folders. Hidden files are left out, and links in folders are not followed.
        look: finds out what is asked for.
        quiet: without a progress bar.

    Raises:
        CommandError: for an empty folder, and for the problem of a single photo.
    """
    paths = [path for each in places for path in _files(each)]
    progress = tqdm(paths, unit="photo", disable=quiet or len(paths) == 1 or None)
    looked = [_looked(path, look) for path in progress]
    if is_one(places) and looked[0].answer is None:
        raise CommandError(looked[0].problem_words(), returncode=FAILED)
    return looked


def _looked(path: Path, look: Callable[[bytes], T]) -> Looked[T]:
    try:
        return Looked(path, look(_content(path)))
    except OSError as error:
        return Looked(path, None, f"The file cannot be read: {error.strerror}.")
    except TooManyBytes as error:
        return Looked(path, None, wording.fault_sentence(wording.image_fault(error)))
    except SearchRefused as error:
        return Looked(path, None, str(error))


def _files(place: Path) -> Sequence[Path]:
    if not place.is_dir():
        return [place]
    files = [place / path for path in folders.files_below(place) if entries.is_meant(path)]
    if not files:
        raise CommandError(f"{place} holds no files.", returncode=FAILED)
    return files


def _content(path: Path) -> bytes:
    status = path.stat()
    # Reading a pipe or a device may never end.
    if not stat.S_ISREG(status.st_mode):
        raise OSError(None, "it is no file")
    images.require_bytes_within(STILL_LIMITS, status.st_size)
    return path.read_bytes()
