"""Writes the pictures of enrolled people as a labelled folder; see `importing.labelled`.

What is kept of a sample is its face with the surroundings, not the photo that it came from. Where not even that is
kept, or the face is not found again in it, that is reported.
"""

from __future__ import annotations

import collections
import csv
import dataclasses
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth.models import User
from django.db.models import QuerySet

from recognition.import_wording import spreadsheet_cell
from recognition.importing import labelled, people_list
from recognition.importing.entries import cleaned_name
from recognition.models import AuditAction, FaceSample, Person, SampleImage
from recognition.services import analysis, audit
from recognition.vision import alignment, images, kept_pictures
from recognition.vision.errors import ImageError

Put = Callable[[str, bytes], None]
"""Takes a path below the folder, with slashes, and the content of the file."""

_LIST_COLUMNS = ("file", "name", "external_id")

_PACKED_AT = (1980, 1, 1, 0, 0, 0)
"""When each file of an archive was changed: nobody's business."""


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """What an export would write.

    Args:
        people: how many are chosen.
        pictures: how many of their samples have a picture.
        not_kept: samples that have none, by primary key.
    """

    people: int
    pictures: int
    not_kept: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Args:
        people: who have a folder.
        pictures: in the folders `originals`.
        not_kept: samples without a picture, by primary key.
        not_aligned: samples in whose picture the face was not found again, so that only the original is there.
    """

    people: int
    pictures: int
    not_kept: tuple[int, ...]
    not_aligned: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Labelled:
    person: Person
    folder: str
    name: str


def choice(*, people: QuerySet[Person]) -> Choice:
    """Counts what an export of these people would write; samples that are set aside are left out."""
    samples = _samples(people)
    without = samples.filter(image=None).order_by("pk").values_list("pk", flat=True)
    return Choice(people.filter(merged_into=None).count(), samples.exclude(image=None).count(), tuple(without))


def export(
    *,
    people: QuerySet[Person],
    put: Put,
    actor: User | None,
    threads: int = 1,
    report: Callable[[], object] = lambda: None,
) -> Exported:
    """Writes pictures, aligned crops, and a list by which an import knows everybody again.

    What was asked for is audited before the first file.

    Args:
        people: whose; rows that were merged into others are left out.
        put: writes a file.
        actor: who gets it; None for the command line.
        threads: pictures that are looked at at once.
        report: called after each picture.

    Raises:
        AnalyserUnavailable: when no worker can look at a picture.
        NoActivePack: when no model pack was activated.
    """
    chosen = choice(people=people)
    details = {"dataset": True, "people": chosen.people, "pictures": chosen.pictures}
    audit.record(action=AuditAction.GALLERY_EXPORTED, actor=actor, subject=None, details=details)
    listed: list[tuple[str, str, str]] = []
    not_aligned: list[int] = []
    folders: set[str] = set()
    with ThreadPoolExecutor(threads) as pool:
        for each in _labels(people):
            pictures = list(_pictures(each.person))
            crops = pool.map(_aligned, [jpeg for _, jpeg in pictures])
            for number, ((sample, jpeg), crop) in enumerate(zip(pictures, crops, strict=True), start=1):
                original, aligned = labelled.picture_paths(each.folder, number)
                put(original, jpeg)
                if crop:
                    put(aligned, crop)
                else:
                    not_aligned.append(sample)
                listed.append((original, each.name, each.person.external_id or ""))
                folders.add(each.folder)
                report()
    put(people_list.FILE_NAME, _list(listed))
    return Exported(len(folders), len(listed), chosen.not_kept, tuple(not_aligned))


def into_archive(archive: zipfile.ZipFile) -> Put:
    """Puts files into a ZIP archive, as they are: photos are packed already."""
    return lambda path, content: archive.writestr(zipfile.ZipInfo(path, _PACKED_AT), content)


def _samples(people: QuerySet[Person]) -> QuerySet[FaceSample]:
    return FaceSample.objects.filter(person__in=people.filter(merged_into=None), status=FaceSample.Status.ACTIVE)


def _labels(people: QuerySet[Person]) -> list[_Labelled]:
    """A folder for each person; of people who share a name and have no id, the name in the list is told apart too."""
    rows = list(people.filter(merged_into=None).order_by("pk"))
    folders = labelled.folder_names(person.name for person in rows)
    counts = collections.Counter(cleaned_name(person.name) for person in rows)
    return [
        _Labelled(
            person, folder, folder if counts[cleaned_name(person.name)] > 1 and not person.external_id else person.name
        )
        for person, folder in zip(rows, folders, strict=True)
    ]


def _pictures(person: Person) -> Iterator[tuple[int, bytes]]:
    rows = SampleImage.objects.filter(sample__person=person, sample__status=FaceSample.Status.ACTIVE)
    for number, jpeg in rows.order_by("pk").values_list("pk", "jpeg").iterator(chunk_size=50):
        yield number, bytes(jpeg)


def _aligned(jpeg: bytes) -> bytes:
    """The aligned crop of a kept picture; empty where its face is not found again."""
    try:
        image_bgr = images.decode(jpeg)
        faces = analysis.analyse(jpeg)
    except ImageError:
        return b""
    face = kept_pictures.central_face([each.face for each in faces], image_bgr)
    return images.encode_jpeg(alignment.align(image_bgr, face.landmarks)) if face is not None else b""


def _list(rows: Sequence[tuple[str, str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_LIST_COLUMNS)
    writer.writerows([spreadsheet_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode()
