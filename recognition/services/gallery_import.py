"""Adds the people of an exported gallery to this one; all of them or nobody, and nothing the second time."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime as dt
import itertools
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from recognition.decision.doubts import Doubt
from recognition.models import (
    AuditAction,
    DenyListEntry,
    FaceSample,
    FaceTemplate,
    LegalBasis,
    Person,
    PersonGroup,
    SampleImage,
)
from recognition.selectors import packs
from recognition.selectors import people as people_read
from recognition.selectors.packs import ActivePack
from recognition.services import archives, audit, gallery_export
from recognition.services.archives import Archive
from recognition.vision.errors import VisionError
from recognition.vision.types import Embedding, Quality


class GalleryRefused(Exception):
    """Nobody was imported; the text is for the person who wanted it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Imported:
    """What an import added, or would add.

    Args:
        people: how many were new.
        people_known: how many were here already, and stay as they are.
        samples: how many were new.
        samples_known: how many were here already.
        images: how many pictures were added.
    """

    people: int
    people_known: int
    samples: int
    samples_known: int
    images: int


def read(
    *, archive: Archive, actor: User | None, is_dry_run: bool, report: archives.Report = lambda size: None
) -> Imported:
    """Adds whoever is not here yet, and samples that are not.

    People are the same by their stable id, else by their external id. Whoever is here already keeps what this
    installation says of them, and gets the samples that are new.

    Args:
        archive: an export, opened and verified.
        actor: who imports; None for the command line.
        is_dry_run: whether everything is tried and nothing kept.
        report: is told how many bytes were read.

    Raises:
        GalleryRefused: when it was made by another pack than the one in use, or holds what cannot be stored.
        archives.ArchiveRefused: when the archive is damaged.
        NoActivePack: on a database where no pack was activated.
    """
    pack = packs.active()
    _require_pack(archive, pack)
    try:
        with transaction.atomic():
            done = _Import(archive, pack, actor, report).run()
            audit.record(
                action=AuditAction.GALLERY_IMPORTED, actor=actor, subject=None, details=dataclasses.asdict(done)
            )
            transaction.set_rollback(is_dry_run)
    except (
        DataError,
        IntegrityError,
        ValidationError,
        VisionError,
        binascii.Error,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise GalleryRefused(
            gettext("%(path)s holds what cannot be stored (%(reason)s). Nobody was imported.")
            % {"path": archive.path, "reason": type(error).__name__}
        ) from error
    return done


def _require_pack(archive: Archive, pack: ActivePack) -> None:
    made_by = archive.contents.get("pack")
    if not isinstance(made_by, Mapping) or made_by.get("digest") != pack.digest:
        name = made_by.get("name") if isinstance(made_by, Mapping) else None
        raise GalleryRefused(
            gettext(
                "The templates in %(path)s were made by the model pack %(name)s, and this installation searches with "
                "%(own)s; they cannot be compared. Switch with `faceweb models use` here, or there and export again. "
                "Nobody was imported."
            )
            % {"path": archive.path, "name": name, "own": pack.name}
        )


@dataclasses.dataclass(frozen=True, slots=True)
class _New:
    sample_id: int
    keeps_photo: bool


@dataclasses.dataclass(slots=True)
class _Import:
    """One import, within its transaction."""

    archive: Archive
    pack: ActivePack
    actor: User | None
    report: archives.Report
    people: dict[str, Person] = dataclasses.field(default_factory=dict)
    people_known: int = 0
    enrolled: set[int] = dataclasses.field(default_factory=set)
    samples: dict[str, _New] = dataclasses.field(default_factory=dict)
    """The new ones, by stable id. Rows themselves would keep their pictures in memory."""
    samples_known: int = 0

    def run(self) -> Imported:
        for said in self._lines(gallery_export.PEOPLE):
            self.people[said["uid"]] = self._person(said)
        doubted: dict[str, list[dict[str, Any]]] = {}
        for batch in _batches(self._lines(gallery_export.SAMPLES)):
            doubted |= {said["uid"]: said["doubts"] for said in batch if said["doubts"]}
            self._add_samples(batch)
        self._keep_doubts({uid: said for uid, said in doubted.items() if uid in self.samples})
        images = sum(self._add_images(batch) for batch in _batches(self._lines(gallery_export.IMAGES)))
        return Imported(
            people=len(self.people) - self.people_known,
            people_known=self.people_known,
            samples=len(self.samples),
            samples_known=self.samples_known,
            images=images,
        )

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        return self.archive.lines(name, report=self.report)

    def _person(self, said: Mapping[str, Any]) -> Person:
        known = self._known(said)
        if known is not None:
            self.people_known += 1
            return known
        moments = {name: said[name] and _moment(said[name]) for name in gallery_export.MOMENTS}
        fields = {name: said[name] for name in gallery_export.OWN_FIELDS}
        person = Person(uid=uuid.UUID(said["uid"]), **fields, **moments)
        person.clean_fields()
        person.save()
        self.enrolled.add(person.pk)
        person.groups.set([PersonGroup.objects.get_or_create(name=name)[0] for name in said["groups"]])
        if said["deny_list_reason"] is not None:
            DenyListEntry.objects.create(person=person, reason=said["deny_list_reason"], created_by=self.actor)
            audit.record(action=AuditAction.DENY_LIST_ADDED, actor=self.actor, subject=person)
        for basis in said["legal_bases"]:
            self._add_basis(person, basis)
        details = {"source": FaceSample.Source.IMPORT}
        audit.record(action=AuditAction.PERSON_ENROLLED, actor=self.actor, subject=person, details=details)
        return person

    def _add_basis(self, person: Person, said: Mapping[str, Any]) -> None:
        moments = {name: said[name] and _moment(said[name]) for name in gallery_export.BASIS_MOMENTS}
        fields = {name: said[name] for name in gallery_export.BASIS_FIELDS}
        basis = LegalBasis(person=person, recorded_by=self.actor, **fields, **moments)
        basis.clean_fields(exclude=["person", "recorded_by", "withdrawn_at"])
        basis.save(force_insert=True)
        details = {"basis": basis.pk, "kind": basis.kind}
        audit.record(action=AuditAction.BASIS_RECORDED, actor=self.actor, subject=person, details=details)

    def _known(self, said: Mapping[str, Any]) -> Person | None:
        by_uid = _stands_for(Person.objects.filter(uid=said["uid"]))
        by_id = _stands_for(Person.objects.filter(external_id=said["external_id"])) if said["external_id"] else None
        if by_id is not None and by_id.pk in self.enrolled:
            raise ValueError("an external id is there twice")
        if by_uid is not None and by_id is not None and by_uid != by_id:
            raise GalleryRefused(
                gettext(
                    "The external id of person %(first)s here belongs to person %(second)s in this installation and to "
                    "the former in %(path)s. Correct it in the admin, or merge the two. Nobody was imported."
                )
                % {"first": f"#{by_uid.pk}", "second": f"#{by_id.pk}", "path": self.archive.path}
            )
        return by_uid or by_id

    def _add_samples(self, batch: Sequence[Mapping[str, Any]]) -> None:
        here = {
            str(uid)
            for uid in FaceSample.objects.filter(uid__in=[said["uid"] for said in batch]).values_list("uid", flat=True)
        }
        pairs = FaceSample.objects.filter(
            person__in={self.people[said["person"]].pk for said in batch},
            image_sha256__in=[said["image_sha256"] for said in batch],
        ).values_list("person_id", "image_sha256")
        files = set(pairs)
        new = [
            said
            for said in batch
            if said["uid"] not in here and (self.people[said["person"]].pk, said["image_sha256"]) not in files
        ]
        self.samples_known += len(batch) - len(new)
        rows = FaceSample.objects.bulk_create([self._sample(said) for said in new])
        self.samples |= {str(row.uid): _New(row.pk, row.person.keeps_photos) for row in rows}
        embedded = [
            (row, self._vector(said["template"])) for row, said in zip(rows, new, strict=True) if said["template"]
        ]
        FaceTemplate.objects.bulk_create(
            [FaceTemplate(sample=row, pack_id=self.pack.id, embedding=vector) for row, vector in embedded]
        )

    def _sample(self, said: Mapping[str, Any]) -> FaceSample:
        Quality.from_json(said["quality"])
        sample = FaceSample(
            uid=uuid.UUID(said["uid"]),
            person=self.people[said["person"]],
            status=said["status"],
            source=said["source"],
            pose=said["pose"],
            quality=said["quality"],
            image_sha256=said["image_sha256"],
            created_by=self.actor,
        )
        sample.clean_fields(exclude=["person", "created_by", "quality", "doubts"])
        return sample

    def _vector(self, text: str) -> Any:
        vector = np.frombuffer(base64.b64decode(text, validate=True), gallery_export.VECTOR_TYPE).astype(np.float32)
        if vector.size != self.pack.dimension:
            raise ValueError(f"expected {self.pack.dimension} numbers, got {vector.size}")
        return Embedding(vector, self.pack.digest).vector

    def _keep_doubts(self, doubted: Mapping[str, list[dict[str, Any]]]) -> None:
        """Once all are here: a doubt names another sample, which may come later in the file."""
        wanted = {doubt["sample"] for doubts in doubted.values() for doubt in doubts}
        rows = FaceSample.objects.filter(uid__in=wanted).values_list("uid", "pk", "person_id")
        found = {str(uid): (sample, person) for uid, sample, person in rows}
        for uid, doubts in doubted.items():
            kept = [
                Doubt.from_json({**doubt, "sample": numbers[0], "person": numbers[1]}).as_json()
                for doubt in doubts
                if (numbers := found.get(doubt["sample"])) is not None
            ]
            FaceSample.objects.filter(pk=self.samples[uid].sample_id).update(doubts=kept)

    def _add_images(self, batch: Sequence[Mapping[str, Any]]) -> int:
        rows = [
            SampleImage(sample_id=new.sample_id, jpeg=base64.b64decode(said["jpeg"], validate=True))
            for said in batch
            if (new := self.samples.get(said["sample"])) is not None and new.keeps_photo
        ]
        SampleImage.objects.bulk_create(rows)
        return len(rows)


def _stands_for(rows: QuerySet[Person]) -> Person | None:
    row = rows.first()
    return None if row is None else people_read.following_merges(row)


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment


def _batches(lines: Iterator[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    while batch := list(itertools.islice(lines, 100)):
        yield batch
