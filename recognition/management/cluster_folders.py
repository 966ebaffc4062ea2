"""Writes what `faceweb cluster` found: a folder for each group of faces, and a list of all faces."""

from __future__ import annotations

import collections
import csv
import dataclasses
import itertools
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from django.core.management.base import CommandError

from recognition.decision.clustering import ALONE
from recognition.import_wording import spreadsheet_cell
from recognition.management.base import FAILED, writing
from recognition.vision.types import BoundingBox, Vector

LIST_NAME = "clusters.csv"
ALONE_NAME = "alone"

_COLUMNS = ("file", "face", "left", "top", "width", "height", "cluster", "copy", "reason")
_OURS = re.compile(rf"cluster-\d+|{ALONE_NAME}|{re.escape(LIST_NAME)}")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class PhotoFace:
    """A face that was found in a photo.

    Args:
        box: in pixels of the photo.
        vector: (d,) float32 of unit length.
    """

    box: BoundingBox
    vector: Vector


@dataclasses.dataclass(frozen=True, slots=True)
class Photo:
    """A file that was looked at.

    Args:
        path: below the folder, with slashes.
        faces: the largest first.
        reason: why it could not be read, or shows no face; empty where it has faces.
        is_read: whether it could be read.
    """

    path: str
    faces: tuple[PhotoFace, ...] = ()
    reason: str = ""
    is_read: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A line of the list: a face, or a photo without one.

    Args:
        photo: where it is.
        face: counts the faces of a photo, from 1; None of a photo without one.
        cluster: name of the folder; empty of a photo without a face.
        copy: the photo there, with slashes, below the folder of all clusters.
    """

    photo: Photo
    face: int | None
    cluster: str = ""
    copy: str = ""

    def as_json(self) -> dict[str, Any]:
        """For --json; the box is left, top, width and height in pixels."""
        return {
            "file": self.photo.path,
            "face": self.face,
            "box": self._box(),
            "cluster": self.cluster or None,
            "copy": self.copy or None,
            "reason": self.photo.reason or None,
        }

    def cells(self) -> list[object]:
        """For a spreadsheet, which must take no text for a formula."""
        texts = [spreadsheet_cell(text) for text in (self.photo.path, self.cluster, self.copy, self.photo.reason)]
        path, cluster, copy, reason = texts
        box: Sequence[object] = self._box() or ("", "", "", "")
        return [path, self.face or "", *box, cluster, copy, reason]

    def _box(self) -> list[int] | None:
        if self.face is None:
            return None
        box = self.photo.faces[self.face - 1].box
        return [round(value) for value in (box.x_min, box.y_min, box.width, box.height)]


def arranged(photos: Sequence[Photo], labels: Sequence[int]) -> list[Row]:
    """The list: which photo goes where.

    A photo with faces of several groups goes into several folders, and once into each.

    Args:
        photos: all that were looked at.
        labels: of all their faces, in order, as `clustering.cluster` gives them.
    """
    width = max(3, len(str(max(labels, default=0) + 1)))
    following = iter(labels)
    taken: dict[str, set[str]] = collections.defaultdict(set)
    rows: list[Row] = []
    for photo in photos:
        copies: dict[str, str] = {}
        for number, label in enumerate(itertools.islice(following, len(photo.faces)), start=1):
            cluster = ALONE_NAME if label == ALONE else f"cluster-{label + 1:0{width}d}"
            if cluster not in copies:
                copies[cluster] = f"{cluster}/{_free_name(photo.path, taken[cluster])}"
            rows.append(Row(photo, number, cluster, copies[cluster]))
        if not photo.faces:
            rows.append(Row(photo, None))
    return rows


def require_free(target: Path, source: Path, *, replace: bool) -> None:
    """Refuses to write where something is, or where the photos themselves are.

    Args:
        target: folder of all clusters.
        source: folder of the photos.
        replace: whether what an earlier run wrote there is to go.

    Raises:
        CommandError: saying what is in the way.
    """
    here, photos = target.resolve(), source.resolve()
    if here.is_relative_to(photos) or photos.is_relative_to(here):
        raise CommandError(
            f"{target} and {source} lie in each other. Choose another folder with --out.", returncode=FAILED
        )
    if not target.exists():
        return
    if not target.is_dir() or target.is_symlink():
        raise CommandError(f"{target} is there, and is no folder. Choose another one with --out.", returncode=FAILED)
    strange = sorted(path.name for path in target.iterdir() if not _OURS.fullmatch(path.name))
    if strange:
        raise CommandError(
            f"{target} holds {strange[0]}, which this command did not write. Choose another folder with --out.",
            returncode=FAILED,
        )
    if not replace and any(target.iterdir()):
        raise CommandError(
            f"{target} holds clusters already. Choose another folder with --out, or replace them with --replace.",
            returncode=FAILED,
        )


def write(rows: Sequence[Row], *, source: Path, target: Path, links: bool) -> None:
    """Writes the folders and the list, all or nothing; what an earlier run wrote goes.

    Args:
        rows: as `arranged` gives them.
        source: folder of the photos.
        target: folder of all clusters; see `require_free`.
        links: whether photos are linked to and not copied.

    Raises:
        CommandError: when it cannot be written, or a photo is gone.
    """
    with (
        writing(target),
        tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=_made(target.parent)) as unfinished,
    ):
        whole = Path(unfinished) / "whole"
        whole.mkdir()
        copies = {row.copy: row.photo.path for row in rows if row.copy}
        for copy, path in copies.items():
            _place(source / path, whole / copy, links=links)
        with (whole / LIST_NAME).open("x", newline="", encoding="utf-8", errors="backslashreplace") as file:
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            writer.writerows(row.cells() for row in rows)
        if target.exists():
            target.rename(Path(unfinished) / "replaced")
        whole.rename(target)


def counted(rows: Sequence[Row]) -> Mapping[str, int]:
    """How many faces each folder has, in the order of their names."""
    return dict(sorted(collections.Counter(row.cluster for row in rows if row.cluster).items()))


def _place(photo: Path, copy: Path, *, links: bool) -> None:
    copy.parent.mkdir(exist_ok=True)
    if links:
        copy.symlink_to(photo.resolve())
    else:
        shutil.copy2(photo, copy)


def _free_name(path: str, taken: set[str]) -> str:
    """A file name that no other photo of the folder has; also on disks that do not tell capital letters apart."""
    pure = PurePosixPath(path)
    numbered = (f"{pure.stem}-{number}{pure.suffix}" for number in itertools.count(2))
    name = next(name for name in itertools.chain([pure.name], numbered) if name.casefold() not in taken)
    taken.add(name.casefold())
    return name


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
