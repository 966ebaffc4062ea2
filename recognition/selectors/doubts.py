"""Who was told apart, what a new sample is held against, and which doubts wait for an answer."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from recognition.models import DistinctPair, FaceSample, FaceTemplate
from recognition.selectors.packs import ActivePack


def told_apart_from(person_id: int) -> frozenset[int]:
    """The people of whom somebody said that they really are not this person."""
    return told_apart({person_id}).get(person_id, frozenset())


def told_apart(people: Collection[int]) -> dict[int, frozenset[int]]:
    """Of each of those people, the others of whom somebody said that they really are not them."""
    pairs = DistinctPair.objects.filter(Q(first__in=people) | Q(second__in=people)).values_list("first_id", "second_id")
    found: dict[int, set[int]] = {}
    for first, second in pairs:
        found.setdefault(first, set()).add(second)
        found.setdefault(second, set()).add(first)
    return {number: frozenset(others) for number, others in found.items() if number in people}


def with_samples(people: Collection[int], pack: ActivePack) -> frozenset[int]:
    """Those of some people who have a sample to hold a new one against, whether the person is searched or not."""
    templates = FaceTemplate.objects.filter(
        pack_id=pack.id, sample__person__in=people, sample__status=FaceSample.Status.ACTIVE
    )
    return frozenset(templates.values_list("sample__person_id", flat=True).distinct())


def all_told_apart() -> frozenset[tuple[int, int]]:
    """Every pair of people of whom somebody said that they really are two, the smaller primary key first."""
    return frozenset(DistinctPair.objects.values_list("first_id", "second_id"))


def waiting() -> QuerySet[FaceSample]:
    """Samples that are set aside for a doubt that nobody has answered."""
    return FaceSample.objects.filter(status=FaceSample.Status.SET_ASIDE).exclude(doubts=[])


def set_aside_for(reason: str, people: Collection[int]) -> QuerySet[FaceSample]:
    """Samples of these people that wait with a doubt of that reason."""
    return waiting().filter(person_id__in=people, doubts__contains=[{"reason": str(reason)}])
