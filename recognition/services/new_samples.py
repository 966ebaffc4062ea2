"""Keeps faces as samples, each held against everybody who is enrolled at that moment and against those kept with it.

Enrolments happen one after the other, in all processes: of two people who come at the same moment, the second is held
against the first. Whoever has the lock has it for some milliseconds, an import for some hundredths of a second.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

import psycopg
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext

from recognition.decision import doubts as decided
from recognition.decision.coverage import Pose
from recognition.decision.doubts import Doubt, Neighbour
from recognition.models import AuditAction, FaceSample, FaceTemplate, Person, RecognitionEvent, SampleImage
from recognition.selectors import doubts, gallery, people
from recognition.selectors.packs import ActivePack
from recognition.services import audit
from recognition.vision.errors import PackMismatch
from recognition.vision.types import EmbeddedFace

_LOCK = 5_412_093_318_720_415
"""Key of the advisory lock under which samples are added; any constant of ours will do."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class NewSample:
    """A face that passed the gates and is to become a sample.

    Args:
        person: whose face it is.
        face: with the vector of the pack in use.
        image_sha256: digest of the file as it came.
        source: where it came from.
        event: whose picture the photo is; None for other photos.
        pose: which pose of a guided enrolment it is; it may then be nearly the same picture as the other poses.
            None for other photos.
    """

    person: Person
    face: EmbeddedFace
    image_sha256: str
    source: FaceSample.Source
    event: RecognitionEvent | None = None
    pose: Pose | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """What became of a face.

    Args:
        sample_id: primary key of the sample.
        doubts: why it is set aside; the gravest first.
        was_there: whether the person had the file, embedded by the pack in use, already.
    """

    sample_id: int
    doubts: tuple[Doubt, ...] = ()
    was_there: bool = False


def hold_off_others() -> None:
    """Lets no other process add samples until the end of the transaction.

    Taken before any row is: whoever waits for it holds nothing that its holder could wait for.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


@transaction.atomic
def keep(*, samples: Sequence[NewSample], pack: ActivePack, actor: User | None) -> list[Kept]:
    """Stores faces as if one came after the other; those that are in doubt are stored and set aside.

    For a sample that another pack embedded before, the photo brings the template that it lacks.

    Args:
        samples: in the order in which they are held against each other.
        pack: the one in use.
        actor: who enrols.

    Returns:
        What became of each, in the same order.

    Raises:
        PackMismatch: when another pack embedded one of them.
    """
    if not samples:
        return []
    if any(new.face.embedding.pack_digest != pack.digest for new in samples):
        raise PackMismatch(gettext("The model pack was switched while the photo was read; try again."))
    hold_off_others()
    try:
        with transaction.atomic():
            return _Round(samples, pack, actor).stored()
    except IntegrityError as error:
        if not _is_duplicate(error):
            raise
    # A gallery was read from an archive meanwhile, which does not hold others off, with one of the very files.
    return _Round(samples, pack, actor).stored()


class _Round:
    """What is known of the gallery before some faces are stored, and what is to be stored of them."""

    def __init__(self, samples: Sequence[NewSample], pack: ActivePack, actor: User | None) -> None:
        self._pack = pack
        self._actor = actor
        self._samples = samples
        self._people = _locked({new.person.pk for new in samples})
        numbers = {person.pk for person in self._people.values()}
        self._files = _files(numbers, {new.image_sha256 for new in samples}, pack)
        # Nothing is in doubt while the pack decides nothing.
        self._told_apart = doubts.told_apart(numbers) if pack.policy else {}
        self._is_exact = gallery.is_exact(pack) if pack.policy else True
        self._with_samples = doubts.with_samples(numbers, pack) if pack.policy else frozenset()
        self._searched = _searched(numbers) if pack.policy and len(samples) > 1 else frozenset()
        self._rows: list[FaceSample] = []
        self._templates: list[FaceTemplate] = []
        self._pictures: list[SampleImage] = []
        self._active: list[tuple[FaceSample, EmbeddedFace]] = []

    def stored(self) -> list[Kept]:
        numbers = iter(_numbers(len(self._samples)))
        kept = [self._one(new, numbers) for new in self._samples]
        FaceSample.objects.bulk_create(self._rows)
        SampleImage.objects.bulk_create(self._pictures)
        FaceTemplate.objects.bulk_create(self._templates)
        audit.record_all(
            action=AuditAction.SAMPLE_ADDED,
            actor=self._actor,
            changes=[(row, _details(row)) for row in self._rows],
        )
        return kept

    def _one(self, new: NewSample, numbers: Iterator[int]) -> Kept:
        person = self._people[new.person.pk]
        known = self._files.get((person.pk, new.image_sha256))
        if known is not None and known.is_embedded:
            return Kept(known.row.pk, was_there=True)
        found = _still_doubted(known.row) if known else self._doubts(new, person)
        row = known.row if known else self._new_row(new, person, found, next(numbers))
        self._files[person.pk, new.image_sha256] = _File(row, is_embedded=True)
        self._templates.append(FaceTemplate(sample=row, pack_id=self._pack.id, embedding=new.face.embedding.vector))
        if row.status == FaceSample.Status.ACTIVE:
            self._active.append((row, new.face))
        return Kept(row.pk, found)

    def _new_row(self, new: NewSample, person: Person, found: tuple[Doubt, ...], number: int) -> FaceSample:
        row = FaceSample(
            pk=number,
            person=person,
            status=FaceSample.Status.SET_ASIDE if found else FaceSample.Status.ACTIVE,
            doubts=[doubt.as_json() for doubt in found],
            source=new.source,
            quality=new.event.quality if new.event else new.face.quality.as_json(),
            event=new.event,
            pose=new.pose or "",
            image_sha256=new.image_sha256,
            created_by=self._actor,
        )
        self._rows.append(row)
        if person.keeps_photos:
            self._pictures.append(SampleImage(sample=row, jpeg=new.face.crop_jpeg))
        return row

    def _doubts(self, new: NewSample, person: Person) -> tuple[Doubt, ...]:
        if self._pack.policy is None:
            return ()
        apart = self._told_apart.get(person.pk, frozenset())
        embedding = new.face.embedding
        own, others = [], gallery.others_like(embedding, self._pack, person.pk, told_apart=apart, exact=self._is_exact)
        if person.pk in self._with_samples:
            own = list(gallery.samples_of(embedding, self._pack, person.pk))
        with_it = [Neighbour(row.person_id, row.pk, embedding.similarity(face.embedding)) for row, face in self._active]
        return decided.find(
            own=decided.closest([*own, *(each for each in with_it if each.person_id == person.pk)]),
            other=decided.closest([*others, *(each for each in with_it if self._is_other(each, person, apart))]),
            policy=self._pack.policy,
            allows_alike=new.pose is not None,
        )

    def _is_other(self, neighbour: Neighbour, person: Person, apart: frozenset[int]) -> bool:
        number = neighbour.person_id
        return number != person.pk and number in self._searched and number not in apart


@dataclasses.dataclass(frozen=True, slots=True)
class _File:
    row: FaceSample
    is_embedded: bool


def _locked(numbers: Iterable[int]) -> Mapping[int, Person]:
    """The rows of people, held until the end of the transaction; of somebody merged meanwhile, whom they are now."""
    held: dict[int, Person] = {}
    missing = set(numbers)
    while missing:
        rows = Person.objects.select_for_update(no_key=True).filter(pk__in=missing).order_by("pk")
        found = {row.pk: row for row in rows}
        if len(found) < len(missing):
            raise Person.DoesNotExist("a person was deleted meanwhile")
        held |= found
        missing = {row.merged_into_id for row in found.values() if row.merged_into_id is not None} - set(held)
    return {number: _now(held, row) for number, row in held.items()}


def _now(held: Mapping[int, Person], row: Person) -> Person:
    while row.merged_into_id is not None:
        row = held[row.merged_into_id]
    return row


def _files(numbers: set[int], digests: set[str], pack: ActivePack) -> dict[tuple[int, str], _File]:
    """Which of the files those people have already."""
    templates = FaceTemplate.objects.filter(sample=OuterRef("pk"), pack_id=pack.id)
    rows = FaceSample.objects.filter(person__in=numbers, image_sha256__in=digests)
    return {
        (row.person_id, row.image_sha256): _File(row, row.is_embedded)
        for row in rows.annotate(is_embedded=Exists(templates))
    }


def _searched(numbers: set[int]) -> frozenset[int]:
    return frozenset(Person.objects.filter(people.recognised(), pk__in=numbers).values_list("pk", flat=True))


def _numbers(count: int) -> list[int]:
    """Primary keys of new samples: a doubt names a sample that is stored together with its own."""
    with connection.cursor() as cursor:
        sequence = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
        cursor.execute(sequence, [FaceSample._meta.db_table, count])
        return [number for (number,) in cursor.fetchall()]


def _still_doubted(known: FaceSample) -> tuple[Doubt, ...]:
    """What spoke against a sample that is there already, unless that was answered."""
    is_aside = known.status == FaceSample.Status.SET_ASIDE
    return tuple(Doubt.from_json(stored) for stored in known.doubts) if is_aside else ()


def _details(row: FaceSample) -> dict[str, object]:
    event = {"event": row.event_id} if row.event_id else {}
    return {"person": row.person_id, "source": row.source, "doubts": row.doubts, **event}


def _is_duplicate(error: IntegrityError) -> bool:
    cause = error.__cause__
    return isinstance(cause, psycopg.Error) and cause.diag.constraint_name in (
        FaceSample.ONE_AN_IMAGE,
        FaceTemplate.ONE_A_PACK,
    )
