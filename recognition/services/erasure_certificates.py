"""Certificates of erasures: what was deleted of a person, in counts and digests, signed; neither name nor picture."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.core.signing import BadSignature, Signer
from django.db import connection
from django.db.models import Q, QuerySet

from recognition.models import (
    ClaimLockout,
    DenyListEntry,
    ErasureCertificate,
    ErasureRequest,
    EventCrop,
    FaceSample,
    FaceTemplate,
    ImportItem,
    LegalBasis,
    LegalHold,
    Person,
    PersonMove,
    SampleImage,
    UnknownFace,
    VideoAppearance,
    VideoPiece,
    WaitingPhoto,
)

_SIGNER = Signer(salt="recognition.erasure-certificate")


def described(
    *,
    rows: Sequence[int],
    crops: QuerySet[EventCrop],
    files: QuerySet[ImportItem],
    seen: QuerySet[VideoAppearance],
    films: QuerySet[VideoPiece],
) -> dict[str, Any]:
    """Counts and digests of what is about to be deleted.

    Args:
        rows: primary keys of a person and of whoever was merged into them.
        crops: pictures of events that go.
        files: files of imports that go.
        seen: appearances in videos that go.
        films: films that go, in pieces.
    """
    samples = FaceSample.objects.filter(person__in=rows)
    images = SampleImage.objects.filter(sample__in=samples).order_by("pk")
    templates = FaceTemplate.objects.filter(sample__in=samples).order_by("pk")
    bases = LegalBasis.objects.filter(person__in=rows).order_by("pk")
    both_ends = Q(source__in=rows) | Q(target__in=rows)
    counted: dict[str, QuerySet[Any]] = {
        "people": Person.objects.filter(pk__in=rows),
        "samples": samples,
        "sample_images": images,
        "templates": templates,
        "event_crops": crops,
        "unknown_faces": UnknownFace.objects.filter(crop__in=crops),
        "waiting_photos": WaitingPhoto.objects.filter(person__in=rows),
        "import_files": files,
        "video_appearances": seen,
        "films": films.filter(number=0),
        "legal_bases": bases,
        "legal_holds": LegalHold.objects.filter(person__in=rows),
        "deny_list_entries": DenyListEntry.objects.filter(person__in=rows),
        "lockouts": ClaimLockout.objects.filter(person__in=rows),
        "moves": PersonMove.objects.filter(both_ends),
    }
    return {
        "deleted": {name: found.count() for name, found in counted.items()},
        "sha256": {
            "sample_images": [_digest(bytes(image.jpeg)) for image in images.iterator()],
            "templates": [
                _digest(np.asarray(template.embedding, np.float32).tobytes()) for template in templates.iterator()
            ],
            # Of thousands, one digest over the digests of each, in the order of the events.
            "event_crops": _digest("".join(_digest(bytes(crop.jpeg)) for crop in crops.iterator()).encode()),
        },
        # The least that proves a right: no document, no name.
        "legal_bases": [
            {
                "kind": basis.kind,
                "text_version": basis.text_version,
                "given_at": basis.given_at.isoformat(),
                "withdrawn_at": basis.withdrawn_at.isoformat() if basis.withdrawn_at else None,
            }
            for basis in bases
        ],
    }


def make(
    *, asked: ErasureRequest, contents: Mapping[str, Any], person_number: int, actor: User | None, now: dt.datetime
) -> ErasureCertificate:
    """Signs and stores what an erasure did; part of its transaction.

    Args:
        asked: the erasure.
        contents: what was deleted, emptied and kept.
        person_number: primary key that the person had.
        actor: who erased.
        now: with a time zone.
    """
    # The number is part of what is signed, and the row never changes: it is drawn before.
    number = _next_number()
    whole = {
        "certificate": number,
        "person": person_number,
        "reason": asked.reason,
        "requested_at": asked.requested_at.isoformat(),
        "erased_at": now.isoformat(),
        "by": actor.pk if actor else None,
        **contents,
    }
    signature = _SIGNER.signature(_canonical(whole))
    return ErasureCertificate.objects.create(
        pk=number, made_at=now, reason=asked.reason, made_by=actor, contents=whole, signature=signature
    )


def document(certificate: ErasureCertificate) -> dict[str, Any]:
    """A certificate as it is handed out: its contents and their signature."""
    return {**certificate.contents, "signature": certificate.signature}


def is_genuine(handed_out: dict[str, Any]) -> bool:
    """Whether this installation signed a certificate as it is."""
    contents = {name: value for name, value in handed_out.items() if name != "signature"}
    try:
        _SIGNER.unsign(f"{_canonical(contents)}:{handed_out.get('signature')}")
    except BadSignature:
        return False
    return True


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _next_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [ErasureCertificate._meta.db_table])
        return int(cursor.fetchone()[0])


def _canonical(contents: dict[str, Any]) -> str:
    """The same text for the same contents, in whatever order they come."""
    return json.dumps(contents, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
