"""Enrols many files at once: plans, looks at several at the same time, and stores what came of each."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import datetime as dt
import hashlib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import connections, transaction

from recognition import wording
from recognition.decision.policy import QualityFault
from recognition.importing import layouts, people_list
from recognition.importing.entries import ImportRefused, PersonData, PlannedFile, Refusal, Skip
from recognition.importing.layouts import Layout
from recognition.models import AuditAction, FaceSample, Person, PersonGroup
from recognition.selectors import packs
from recognition.selectors.imported import Enrolled, KnownFiles
from recognition.services import analysis, audit, enrolment, new_samples
from recognition.services.enrolment import SampleResult
from recognition.services.new_samples import NewSample
from recognition.vision.errors import ImageError, TooManyBytes
from recognition.vision.images import STILL_LIMITS
from recognition.vision.types import EmbeddedFace

AHEAD_A_THREAD = 4
"""Files that are looked at, or wait with their result, for each thread: so many that none waits for the database."""

FILES_A_STEP = 16
"""Files that are stored together, for a third of what it costs to store them one by one."""

Key = TypeVar("Key")
Seen = TypeVar("Seen")


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
        read: gives the content of a path; raises `TooManyBytes` where it has more than allowed.
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
    enrolled = Enrolled({file.person for file in files if file.person is not None and file.skip is None})
    files = tuple(_checked(files, enrolled))
    wanted = {file.person for file in files if file.person is not None and file.skip is None}
    known = sum(enrolled.find(person) is not None for person in wanted)
    return Plan(files, known, len(wanted) - known)


def contents(
    *, files: Iterable[PlannedFile], read: Callable[[str, int], bytes]
) -> Iterator[tuple[PlannedFile, str, bytes | QualityFault]]:
    """Digest and content of each file as it is needed; of one that is too large, that it is."""
    for file in files:
        try:
            data = read(file.path, STILL_LIMITS.max_bytes)
        except TooManyBytes as error:
            yield file, "", wording.image_fault(error)
        else:
            yield file, digest(data), data


def with_known(
    *, files: Sequence[PlannedFile], read: Callable[[str, int], bytes]
) -> Iterator[tuple[PlannedFile, bool]]:
    """Each file, and whether its person has it already, so that it need not be looked at."""
    known = KnownFiles({of_file(file) for file in files})
    for file in files:
        enrolled = known.of(of_file(file))
        # Of somebody new nothing is read that will be read again.
        yield file, bool(enrolled) and _is_among(enrolled, file, read)


def _is_among(digests: Collection[str], file: PlannedFile, read: Callable[[str, int], bytes]) -> bool:
    try:
        return digest(read(file.path, STILL_LIMITS.max_bytes)) in digests
    except TooManyBytes:
        return False


def of_file(file: PlannedFile) -> PersonData:
    """Whom a file shows that is not left out.

    Raises:
        ValueError: for one that is.
    """
    if file.person is None:
        raise ValueError(f"{file.path}: expected a file that is not left out")
    return file.person


def digest(data: bytes) -> str:
    """By which a file is known, whatever it is called."""
    return hashlib.sha256(data).hexdigest()


def looked_at(
    *, files: Iterable[tuple[Key, str, bytes | QualityFault]], threads: int
) -> Iterator[tuple[Key, LookedAt]]:
    """Analyses files in several threads and gives their results in order; few are in memory at once.

    Args:
        files: of each a key of the caller's, digest, and content or why there is none; taken as they are needed.
        threads: how many work.

    Raises:
        AnalyserUnavailable: when no worker can look at photos.
    """
    waiting: collections.deque[tuple[Key, concurrent.futures.Future[LookedAt]]] = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        try:
            for key, image_sha256, data in files:
                waiting.append((key, pool.submit(_look, image_sha256, data)))
                if len(waiting) >= threads * AHEAD_A_THREAD:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for key, future in waiting:
                yield key, future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def in_steps(*, results: Iterable[Seen], size: int) -> Iterator[list[Seen]]:
    """Some files at a time, to be stored together."""
    iterator = iter(results)
    while step := list(itertools.islice(iterator, size)):
        yield step


@transaction.atomic
def take(*, files: Sequence[tuple[PersonData, LookedAt]], actor: User | None) -> list[SampleResult]:
    """Enrols files that were looked at, and their people where they are new, as if one file came after the other.

    A person who is known stays as they are, whatever the list says of them. Nobody is enrolled of whom no photo can
    be used.

    Returns:
        What became of each, in the same order.

    Raises:
        PackMismatch: when the model pack was switched meanwhile.
    """
    # Before anybody is looked for, so that two imports do not both enrol the same person.
    new_samples.hold_off_others()
    pack = packs.active()
    gates = enrolment.gates_of(pack)
    chosen = [enrolment.chosen_face(faces=file.faces, gates=gates) for _, file in files]
    usable = [
        (person, face, file.image_sha256)
        for (person, file), (face, _) in zip(files, chosen, strict=True)
        if face is not None
    ]
    rows = _enrolled([person for person, _, _ in usable], actor)
    samples = [
        NewSample(row, face, image_sha256, FaceSample.Source.IMPORT)
        for row, (_, face, image_sha256) in zip(rows, usable, strict=True)
    ]
    kept = iter(new_samples.keep(samples=samples, pack=pack, actor=actor))
    return [
        SampleResult.of(next(kept))
        if face is not None
        else SampleResult(None, faults if file.fault is None else (file.fault,))
        for (_, file), (face, faults) in zip(files, chosen, strict=True)
    ]


def _list_content(path: str, read: Callable[[str, int], bytes]) -> bytes:
    try:
        return read(path, people_list.MOST_BYTES)
    except TooManyBytes as error:
        raise ImportRefused(Refusal.LIST_NOT_TEXT) from error


def _checked(files: Iterable[PlannedFile], enrolled: Enrolled) -> Iterator[PlannedFile]:
    """Leaves out files whose person cannot be made: in a group that is not there, or of an id that nobody has."""
    groups = set(PersonGroup.objects.values_list("name", flat=True))
    for file in files:
        if file.person is None or file.skip is not None:
            yield file
        elif not set(file.person.groups) <= groups:
            yield PlannedFile(file.path, file.person, Skip.UNKNOWN_GROUP)
        elif not file.person.name and enrolled.find(file.person) is None:
            yield PlannedFile(file.path, file.person, Skip.NO_NAME)
        else:
            yield file


def _enrolled(wanted: Sequence[PersonData], actor: User | None) -> list[Person]:
    """The row of each person, made now of those who are new."""
    enrolled, rows, new = Enrolled(wanted), [], []
    for person in wanted:
        row = enrolled.find(person)
        if row is None:
            row = _row(person)
            enrolled.add(person, row)
            new.append((person, row))
        rows.append(row)
    Person.objects.bulk_create([row for _, row in new])
    for person, row in new:
        if person.groups:
            row.groups.set(PersonGroup.objects.filter(name__in=person.groups))
    changes = [(row, {"import": True}) for _, row in new]
    audit.record_all(action=AuditAction.PERSON_ENROLLED, actor=actor, changes=changes)
    return rows


def _row(person: PersonData) -> Person:
    return Person(
        name=person.name,
        external_id=person.external_id or None,
        notes=person.notes,
        valid_from=_moment(person.valid_from),
        valid_until=_moment(person.valid_until),
    )


def _moment(text: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _look(image_sha256: str, data: bytes | QualityFault) -> LookedAt:
    if isinstance(data, QualityFault):
        return LookedAt(image_sha256, fault=data)
    try:
        return LookedAt(image_sha256, analysis.analyse(data))
    except ImageError as error:
        return LookedAt(image_sha256, fault=wording.image_fault(error))
    finally:
        # The thread ends with the import, and nobody else could close what it opened to see which pack is in use.
        connections.close_all()
