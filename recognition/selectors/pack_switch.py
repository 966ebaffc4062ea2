"""What a switch of the model pack would mean for the gallery, and whether that is still so."""

from __future__ import annotations

import dataclasses
import hashlib

from django.db.models import Exists, OuterRef, QuerySet

from recognition.models import FaceSample, FaceTemplate, Job, ModelPack, Person
from recognition.selectors import packs
from recognition.selectors.packs import ActivePack
from recognition.selectors.people import recognised

ROWS_AT_A_TIME = 5000


@dataclasses.dataclass(frozen=True, slots=True)
class Embedded:
    """How many of all samples a pack has embedded, those that are set aside included.

    Args:
        samples: all of them.
        embedded: with a template of the pack.
        without_picture: without one, and without a picture to make it of.
        without_face: without one, although there is a picture.
    """

    samples: int
    embedded: int
    without_picture: int
    without_face: int


def to_embed(pack_id: int) -> QuerySet[FaceSample]:
    """Samples that the pack can embed and has not, in the order of their numbers."""
    return FaceSample.objects.filter(image__isnull=False).exclude(templates__pack_id=pack_id).order_by("pk")


def embedded(pack_id: int) -> Embedded:
    """Counts the samples by what the pack has of them; after an attempt, what it lacks shows no face."""
    samples = FaceSample.objects.count()
    without_picture = FaceSample.objects.filter(image__isnull=True).exclude(templates__pack_id=pack_id).count()
    without_face = to_embed(pack_id).count()
    return Embedded(samples, samples - without_picture - without_face, without_picture, without_face)


def lost_people(before_id: int | None, after_id: int) -> QuerySet[Person]:
    """People whom a search finds with one pack, and with the other cannot."""

    def searched(pack_id: int | None) -> Exists:
        templates = FaceTemplate.objects.filter(pack_id=pack_id, sample__status=FaceSample.Status.ACTIVE)
        return Exists(templates.filter(sample__person=OuterRef("pk")))

    return Person.objects.filter(recognised(), searched(before_id)).exclude(searched(after_id)).order_by("pk")


def in_use() -> ActivePack | None:
    """The pack that searches now; None on a database where none was activated."""
    pack = ModelPack.objects.filter(is_active=True).first()
    return packs.described(pack) if pack is not None else None


def fingerprint(before: ActivePack | None, after: ActivePack, threshold: float | None) -> str:
    """Changes with all that a comparison of two packs depends on: what is searched, whose it is, and thresholds.

    Args:
        before: the pack in use.
        after: the pack that would come into use.
        threshold: of a verification by the latter; None where it was never measured.
    """
    old = (before.id, before.policy.verification_threshold if before.policy else None) if before else None
    digest = hashlib.sha256(repr((old, after.id, threshold)).encode())
    rows = FaceTemplate.objects.filter(
        pack_id__in={after.id} | ({before.id} if before else set()),
        sample__status=FaceSample.Status.ACTIVE,
        sample__person__in=Person.objects.filter(recognised()),
    )
    # Templates never change, so their numbers stand for their vectors.
    for row in rows.order_by("pk").values_list("pk", "sample_id", "sample__person_id").iterator(ROWS_AT_A_TIME):
        digest.update(repr(row).encode())
    return digest.hexdigest()


def latest_trial(pack: ModelPack) -> Job | None:
    """The last job that tried the pack out, whatever came of it."""
    return Job.objects.filter(kind=Job.Kind.PACK_SWITCH, parameters__pack=pack.pk).order_by("-pk").first()
