"""Keeps an upload that shows several faces until somebody has chosen the right one.

What is kept is gone with the choice, or after an hour; nothing of it is in the gallery before. So the audit
trail has the sample that comes of it, and no entry of its own.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from django.contrib.auth.models import User
from django.db import transaction

from recognition.decision.verdict import Reason
from recognition.models import FaceSample, Person, WaitingPhoto
from recognition.selectors import packs
from recognition.services import enrolment
from recognition.services.enrolment import SampleResult
from recognition.vision import geometry, images
from recognition.vision.types import BoundingBox, EmbeddedFace, Size

LIFETIME = dt.timedelta(hours=1)

PREVIEW_SIDE_PX = 1280
"""Longer side of the picture that is shown to choose from."""

PREVIEW_JPEG_QUALITY = 85


class NoSuchFace(Exception):
    """The number is none of the photo's faces."""


@transaction.atomic
def keep(
    *, person: Person, file_name: str, data: bytes, faces: tuple[EmbeddedFace, ...], actor: User, now: dt.datetime
) -> WaitingPhoto:
    """Keeps a photo for an hour.

    Args:
        person: whom one of the faces is to be enrolled for.
        file_name: what the uploader calls it.
        data: the file as it came; it has been decoded before.
        faces: all that were found.
        actor: who uploaded it.
        now: with a time zone.
    """
    image_bgr = images.decode(data)
    size = Size.of(image_bgr)
    gates = enrolment.gates_of(packs.active())
    scale = min(PREVIEW_SIDE_PX / max(size.width, size.height), 1.0)
    photo, _ = WaitingPhoto.objects.update_or_create(
        person=person,
        image_sha256=hashlib.sha256(data).hexdigest(),
        defaults={
            "file_name": file_name[: WaitingPhoto._meta.get_field("file_name").max_length],
            "data": data,
            "preview_jpeg": images.encode_jpeg(geometry.resized(image_bgr, scale), PREVIEW_JPEG_QUALITY),
            "width": size.width,
            "height": size.height,
            "faces": [
                {
                    "box": [face.face.box.x_min, face.face.box.y_min, face.face.box.x_max, face.face.box.y_max],
                    "faults": [Reason.of_fault(fault).as_json() for fault in gates.faults(face.quality)],
                }
                for face in sorted(faces, key=lambda face: face.face.box.x_min)
            ],
            "created_by": actor,
            "expires_at": now + LIFETIME,
        },
    )
    return photo


def choose(*, photo: WaitingPhoto, number: int, actor: User) -> SampleResult:
    """Enrols one face of a photo, which then waits no longer.

    Args:
        photo: as `keep` stored it.
        number: of the face from left to right, from 1.
        actor: who chose.

    Returns:
        What became of it. A photo whose face was refused goes on waiting.

    Raises:
        NoSuchFace: for another number.
        AnalyserUnavailable: when no worker can look at the photo.
    """
    if not 1 <= number <= len(photo.faces):
        raise NoSuchFace(f"number: expected 1..{len(photo.faces)}, got {number}")
    result = enrolment.add_sample(
        person=photo.person,
        data=bytes(photo.data),
        source=FaceSample.Source.UPLOAD,
        actor=actor,
        chosen=BoundingBox(*photo.faces[number - 1]["box"]),
    )
    if result.is_stored:
        photo.delete()
    return result


def discard(*, photo: WaitingPhoto) -> None:
    """Removes a photo of which no face is the right one."""
    photo.delete()


def forget_expired(*, now: dt.datetime) -> int:
    """Removes the photos whose hour is over; how many there were."""
    return WaitingPhoto.objects.filter(expires_at__lte=now).delete()[0]
