"""Writes the gallery alone to an archive: people, samples, templates of the pack in use, and pictures if wanted.

Three members of one JSON object a line, each ordered by stable id, so that equal galleries give equal members.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction
from django.db.models import Prefetch

from recognition.models import AuditAction, FaceSample, FaceTemplate, LegalBasis, Person, SampleImage
from recognition.selectors import packs
from recognition.selectors.packs import ActivePack
from recognition.services import archives, audit, backup
from recognition.services.archives import Writer

KIND = "gallery"
PEOPLE, SAMPLES, IMAGES = "people.jsonl", "samples.jsonl", "images.jsonl"

OWN_FIELDS = ("name", "external_id", "notes", "is_active", "is_suspended", "keeps_photos")
"""What of a person is written as it is."""

MOMENTS = ("valid_from", "valid_until")

BASIS_FIELDS = ("kind", "text_version", "how", "document")
BASIS_MOMENTS = ("given_at", "valid_until", "withdrawn_at")
"""What of a legal basis is written; not who recorded it: accounts are of one installation."""

VECTOR_TYPE = np.dtype("<f4")
"""Of a template's bytes: little endian, whatever machine writes or reads them."""

ROWS_AT_A_TIME = 500


@dataclasses.dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Args:
        people: how many; rows that were merged into others are not among them.
        samples: how many.
        templates: how many of them have a template of the pack in use.
        images: how many pictures; none where they were not wanted.
        fingerprint: of the key that signed it.
        size: of the file in bytes.
    """

    people: int
    samples: int
    templates: int
    images: int
    fingerprint: str
    size: int


def write(
    *,
    path: Path,
    key: Ed25519PrivateKey,
    program: str,
    with_images: bool,
    report: archives.Report = lambda size: None,
) -> Exported:
    """Writes the gallery as it is at one moment.

    Args:
        path: of the archive; it is there when it is whole and not before.
        key: what signs it.
        program: version of this program.
        with_images: whether the pictures of samples go along.
        report: is told how many bytes were written.

    Raises:
        archives.ArchiveRefused: when it cannot be written.
        NoActivePack: on a database where no pack was activated.
    """
    with archives.writing(path=path, kind=KIND, key=key) as archive:
        with backup.snapshot() as (_, moment):
            pack = packs.active()
            people = _write(archive, PEOPLE, _people(), report)
            samples = _write(archive, SAMPLES, _samples(pack), report)
            images = _write(archive, IMAGES, _images() if with_images else (), report)
            templates = FaceTemplate.objects.filter(pack_id=pack.id, sample__in=_exported()).count()
        counts = {"people": people, "samples": samples, "templates": templates, "images": images}
        contents = {
            "moment": moment.isoformat(),
            "program": program,
            "pack": {"name": pack.name, "digest": pack.digest, "dimension": pack.dimension},
            "counts": counts,
        }
        with transaction.atomic():
            audit.record(action=AuditAction.GALLERY_EXPORTED, actor=None, subject=None, details=counts)
            archive.finish(contents)
    fingerprint = archives.fingerprint(key.public_key())
    return Exported(people, samples, templates, images, fingerprint, path.stat().st_size)


def _write(archive: Writer, name: str, values: Iterable[Any], report: archives.Report) -> int:
    count = 0
    with archive.member(name, report=report) as write_piece:
        for value in values:
            write_piece(json.dumps(value, sort_keys=True).encode() + b"\n")
            count += 1
    return count


def _exported() -> Any:
    return FaceSample.objects.filter(person__merged_into=None)


def _people() -> Iterator[dict[str, Any]]:
    rows = (
        Person.objects.filter(merged_into=None)
        .select_related("deny_list_entry")
        .prefetch_related("groups", Prefetch("legal_bases", LegalBasis.objects.order_by("pk")))
    )
    for person in rows.order_by("uid").iterator(chunk_size=ROWS_AT_A_TIME):
        entry = getattr(person, "deny_list_entry", None)
        yield {
            "uid": str(person.uid),
            **{field: getattr(person, field) for field in OWN_FIELDS},
            **{field: moment and moment.isoformat() for field in MOMENTS for moment in [getattr(person, field)]},
            "groups": sorted(group.name for group in person.groups.all()),
            "deny_list_reason": entry.reason if entry is not None else None,
            "legal_bases": [_basis(basis) for basis in person.legal_bases.all()],
        }


def _basis(basis: LegalBasis) -> dict[str, Any]:
    moments = {name: getattr(basis, name) for name in BASIS_MOMENTS}
    return {
        **{name: getattr(basis, name) for name in BASIS_FIELDS},
        **{name: moment and moment.isoformat() for name, moment in moments.items()},
    }


def _samples(pack: ActivePack) -> Iterator[dict[str, Any]]:
    of_pack = Prefetch("templates", FaceTemplate.objects.filter(pack_id=pack.id), to_attr="of_pack")
    rows = _exported().select_related("person").prefetch_related(of_pack).order_by("uid")
    batch: list[FaceSample] = []
    for sample in rows.iterator(chunk_size=ROWS_AT_A_TIME):
        batch.append(sample)
        if len(batch) == ROWS_AT_A_TIME:
            yield from _of_batch(batch)
            batch = []
    yield from _of_batch(batch)


def _of_batch(batch: list[FaceSample]) -> Iterator[dict[str, Any]]:
    named = {doubt["sample"] for sample in batch for doubt in sample.doubts}
    others = {
        number: (str(uid), str(of_person))
        for number, uid, of_person in FaceSample.objects.filter(pk__in=named).values_list("pk", "uid", "person__uid")
    }
    for sample in batch:
        yield {
            "uid": str(sample.uid),
            "person": str(sample.person.uid),
            "status": sample.status,
            "source": sample.source,
            "pose": sample.pose,
            "quality": sample.quality,
            "doubts": [_doubt(doubt, others) for doubt in sample.doubts if doubt["sample"] in others],
            "image_sha256": sample.image_sha256,
            "template": _template(sample),
        }


def _doubt(doubt: dict[str, Any], others: dict[int, tuple[str, str]]) -> dict[str, Any]:
    """A doubt names rows by number, which mean nothing in another installation."""
    sample, person = others[doubt["sample"]]
    return {**doubt, "sample": sample, "person": person}


def _template(sample: Any) -> str | None:
    if not sample.of_pack:
        return None
    return base64.b64encode(np.asarray(sample.of_pack[0].embedding, VECTOR_TYPE).tobytes()).decode()


def _images() -> Iterator[dict[str, Any]]:
    rows = SampleImage.objects.filter(sample__in=_exported()).order_by("sample__uid")
    for uid, jpeg in rows.values_list("sample__uid", "jpeg").iterator(chunk_size=100):
        yield {"sample": str(uid), "jpeg": base64.b64encode(jpeg).decode()}
