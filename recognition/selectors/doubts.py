"""What a new face is like among the samples that are enrolled, and which doubts wait for an answer."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import F, FloatField, Q, QuerySet, Value
from django.db.models.functions import Cast
from pgvector.django import CosineDistance

from recognition.decision import doubts
from recognition.decision.doubts import Doubt, Neighbour
from recognition.models import DistinctPair, FaceSample, FaceTemplate
from recognition.selectors import gallery
from recognition.selectors.packs import ActivePack
from recognition.vision.types import Embedding


def against(embedding: Embedding, pack: ActivePack, person_id: int) -> tuple[Doubt, ...]:
    """What speaks against a face as a new sample of a person; nothing while the pack decides nothing.

    Raises:
        PackMismatch: when the face was embedded by another pack.
    """
    if pack.policy is None:
        return ()
    others = gallery.others_like(embedding, pack, person_id, told_apart=told_apart_from(person_id))
    return doubts.find(own=_own_closest(embedding, pack, person_id), other=doubts.closest(others), policy=pack.policy)


def told_apart_from(person_id: int) -> frozenset[int]:
    """The people of whom somebody said that they really are not this person."""
    pairs = DistinctPair.objects.filter(Q(first=person_id) | Q(second=person_id)).values_list("first_id", "second_id")
    return frozenset(number for pair in pairs for number in pair if number != person_id)


def all_told_apart() -> frozenset[tuple[int, int]]:
    """Every pair of people of whom somebody said that they really are two, the smaller primary key first."""
    return frozenset(DistinctPair.objects.values_list("first_id", "second_id"))


def waiting() -> QuerySet[FaceSample]:
    """Samples that are set aside for a doubt that nobody has answered."""
    return FaceSample.objects.filter(status=FaceSample.Status.SET_ASIDE).exclude(doubts=[])


def set_aside_for(reason: str, people: Collection[int]) -> QuerySet[FaceSample]:
    """Samples of these people that wait with a doubt of that reason."""
    return waiting().filter(person_id__in=people, doubts__contains=[{"reason": str(reason)}])


def _own_closest(embedding: Embedding, pack: ActivePack, person_id: int) -> Neighbour | None:
    """The person's own sample most like a face, whether the person is searched or not."""
    templates = FaceTemplate.objects.filter(
        pack_id=pack.id, sample__person_id=person_id, sample__status=FaceSample.Status.ACTIVE
    )
    distance = CosineDistance("embedding", embedding.vector)
    row = (
        templates.annotate(distance=distance)
        .order_by("distance", "sample_id")
        .values_list("sample_id", Cast(Value(1.0) - F("distance"), FloatField()))
        .first()
    )
    return Neighbour(person_id, row[0], row[1]) if row else None
