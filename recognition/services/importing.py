"""Enrols many files at once: plans, looks at several at the same time, and stores what came of each."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import connections, transaction

from recognition import wording
from recognition.decision.policy import QualityFault, SampleReason
from recognition.importing import layouts, people_list
from recognition.importing.entries import ImportRefused, PersonData, PlannedFile, Refusal, Skip
from recognition.importing.layouts import Layout
from recognition.models import AuditAction, FaceSample, Person, PersonGroup
from recognition.selectors import people
from recognition.services import analysis, audit, enrolment
from recognition.services.enrolment import SampleResult
from recognition.vision.errors import ImageError
from recognition.vision.images import STILL_LIMITS
from recognition.vision.types import EmbeddedFace

AHEAD_A_THREAD = 4
"""Files that are looked at, or wait with their result, for each thread: so many that none waits for the database."""

Key = TypeVar("Key")


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do; nothing was looked at yet.

    Args:
        files: of every image and of every line of a list.
        known: how many of the people are enrolled already.
        new: how many are not.
    """

    files: tuple[PlannedFile, ...]
    known: int
    new: int

    @property
    def taken(self) -> tuple[PlannedFile, ...]:
        """Files that are to be looked at."""
        return tuple(file for file in self.files if file.skip is None)


@dataclasses.dataclass(frozen=True, slots=True)
class LookedAt:
    """A file that was analysed, or why that failed.

    Args:
        image_sha256: digest of the file as it came.
        faces: all that were found, the largest first.
        fault: why it could not be read; None where it could.
    """

    image_sha256: str
    faces: tuple[EmbeddedFace, ...] = ()
    fault: QualityFault | None = None


def plan(*, paths: Sequence[str], read: Callable[[str, int], bytes], layout: Layout = Layout.AUTO) -> Plan:
    """Finds out whom each file shows, from a list if there is one, else from folders and file names.

    Args:
        paths: of all files, with slashes.
        read: gives the content of a path, and of a larger one than allowed one byte more.
        layout: how files are arranged where there is no list.

    Raises:
        ImportRefused: when nothing can be taken.
    """
    lists = sorted((path for path in paths if path.split("/")[-1].lower() == people_list.FILE_NAME), key=len)
    if lists:
        folder = lists[0].rpartition("/")[0]
        files = people_list.planned(_list_content(lists[0], read), paths, folder)
    else:
        files = layouts.planned(paths, layout)
    if not any(file.skip is None for file in files):
        raise ImportRefused(Refusal.NO_IMAGES)
    files = tuple(_checked(files))
    wanted = {file.person for file in files if file.person is not None and file.skip is None}
    known = sum(_existing(person) is not None for person in wanted)
    return Plan(files, known, len(wanted) - known)


def contents(*, files: Iterable[PlannedFile], read: Callable[[str, int], bytes]) -> Iterator[tuple[PlannedFile, bytes]]:
    """The content of each file as it is needed; of one that is too large, enough to tell."""
    for file in files:
        yield file, read(file.path, STILL_LIMITS.max_bytes)


def of_file(file: PlannedFile) -> PersonData:
    """Whom a file shows that is not left out.

    Raises:
        ValueError: for one that is.
    """
    if file.person is None:
        raise ValueError(f"{file.path}: expected a file that is not left out")
    return file.person


def looked_at(*, files: Iterable[tuple[Key, bytes]], threads: int) -> Iterator[tuple[Key, LookedAt]]:
    """Analyses files in several threads and gives their results in order; few are in memory at once.

    Args:
        files: a key of the caller's and the content of each; taken as they are needed.
        threads: how many work.

    Raises:
        AnalyserUnavailable: when no worker can look at photos.
    """
    waiting: collections.deque[tuple[Key, concurrent.futures.Future[LookedAt]]] = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        try:
            for key, data in files:
                waiting.append((key, pool.submit(_look, data)))
                if len(waiting) >= threads * AHEAD_A_THREAD:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for key, future in waiting:
                yield key, future.result()
        finally:
            pool.shutdown(cancel_futures=True)


@transaction.atomic
def take(*, person: PersonData, file: LookedAt, actor: User | None) -> SampleResult:
    """Enrols one file that was looked at, and its person if they are new.

    A person who is known stays as they are, whatever the list says of them.

    Raises:
        PackMismatch: when the model pack was switched meanwhile.
    """
    if file.fault is not None:
        return SampleResult(None, (file.fault,))
    face, faults = enrolment.chosen_face(faces=file.faces, gates=enrolment.active_gates())
    if face is None:
        # Nobody is enrolled of whom no photo can be used.
        return SampleResult(None, faults)
    return enrolment.add_faces(
        person=_existing(person) or _enrolled(person, actor),
        image_sha256=file.image_sha256,
        faces=file.faces,
        source=FaceSample.Source.IMPORT,
        actor=actor,
    )


def is_known(*, person: PersonData, data: bytes) -> bool:
    """Whether a file is enrolled for its person already, so that it need not be looked at."""
    existing = _existing(person)
    return existing is not None and enrolment.is_enrolled(
        person=existing, image_sha256=hashlib.sha256(data).hexdigest()
    )


def _list_content(path: str, read: Callable[[str, int], bytes]) -> bytes:
    content = read(path, people_list.MOST_BYTES)
    if len(content) > people_list.MOST_BYTES:
        raise ImportRefused(Refusal.LIST_NOT_TEXT)
    return content


def _checked(files: Iterable[PlannedFile]) -> Iterator[PlannedFile]:
    """Leaves out files whose person cannot be made: in a group that is not there, or of an id that nobody has."""
    groups = set(PersonGroup.objects.values_list("name", flat=True))
    for file in files:
        if file.person is None or file.skip is not None:
            yield file
        elif not set(file.person.groups) <= groups:
            yield PlannedFile(file.path, file.person, Skip.UNKNOWN_GROUP)
        elif not file.person.name and _existing(file.person) is None:
            yield PlannedFile(file.path, file.person, Skip.NO_NAME)
        else:
            yield file


def _existing(person: PersonData) -> Person | None:
    """Who it is, by the external id where there is one, else by name."""
    if person.external_id:
        holder = Person.objects.filter(external_id=person.external_id).first()
        return people.following_merges(holder) if holder is not None else None
    return enrolment.find_person(name=person.name)


def _enrolled(person: PersonData, actor: User | None) -> Person:
    new = Person.objects.create(
        name=person.name,
        external_id=person.external_id or None,
        notes=person.notes,
        valid_from=_moment(person.valid_from),
        valid_until=_moment(person.valid_until),
    )
    new.groups.set(PersonGroup.objects.filter(name__in=person.groups))
    audit.record(action=AuditAction.PERSON_ENROLLED, actor=actor, subject=new, details={"import": True})
    return new


def _moment(text: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _look(data: bytes) -> LookedAt:
    digest = hashlib.sha256(data).hexdigest()
    if len(data) > STILL_LIMITS.max_bytes:
        return LookedAt(digest, fault=QualityFault(SampleReason.IMAGE_TOO_LARGE, 0, 0))
    try:
        return LookedAt(digest, analysis.analyse(data))
    except ImageError as error:
        return LookedAt(digest, fault=wording.image_fault(error))
    finally:
        # The thread ends with the import, and nobody else could close what it opened to see which pack is in use.
        connections.close_all()
