"""Who was told apart, what a new sample is held against, and which doubts wait for an answer."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from django.db.models import Q, QuerySet

from recognition.decision import doubts
from recognition.decision.doubts import Doubt, DoubtReason
from recognition.models import AuditAction, AuditEntry, DistinctPair, FaceSample, FaceTemplate
from recognition.selectors import gallery
from recognition.selectors.packs import ActivePack
from recognition.vision.types import Embedding


def against(embedding: Embedding, pack: ActivePack, person_id: int, *, allows_alike: bool = False) -> tuple[Doubt, ...]:
    """What speaks against a face as a sample of a person; nothing while the pack decides nothing.

    Args:
        embedding: of the face.
        pack: that made it.
        person_id: whose sample it is to be.
        allows_alike: whether it may be nearly the same picture as another sample of theirs.

    Raises:
        PackMismatch: when the face was embedded by another pack.
    """
    if pack.policy is None:
        return ()
    apart, exact = told_apart_from(person_id), gallery.is_exact(pack)
    others = gallery.others_like(embedding, pack, person_id, told_apart=apart, exact=exact)
    return doubts.find(
        own=doubts.closest(gallery.samples_of(embedding, pack, person_id)),
        other=doubts.closest(others),
        policy=pack.policy,
        allows_alike=allows_alike,
    )


def of_stored(sample: FaceSample, pack: ActivePack | None) -> tuple[Doubt, ...] | None:
    """What speaks against a sample that is set aside, by the gallery as it is now.

    Args:
        sample: which one.
        pack: the one in use; None where there is none.

    Returns:
        None where nobody can tell: the pack decides nothing, or never embedded the sample.
    """
    if pack is None or pack.policy is None:
        return None
    template = sample.templates.filter(pack_id=pack.id).first()
    if template is None:
        return None
    embedding = Embedding(np.asarray(template.embedding, np.float32), pack.digest)
    # What did not wait for being nearly the same picture does not begin to: that harms no search.
    was_alike = any(doubt["reason"] == DoubtReason.DUPLICATE_SAMPLE for doubt in sample.doubts)
    return against(embedding, pack, sample.person_id, allows_alike=not was_alike)


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


def waiting_of(people: Collection[int]) -> QuerySet[FaceSample]:
    """Samples of these people that wait."""
    return waiting().filter(person_id__in=people)


def waiting_as_like(people: Collection[int]) -> QuerySet[FaceSample]:
    """Samples of anybody that wait because they are like one of these people, who are somebody else."""
    like = Q()
    for person in people:
        like |= Q(doubts__contains=[{"reason": str(DoubtReason.IDENTITY_CONFLICT), "person": person}])
    return waiting().filter(like) if people else FaceSample.objects.none()


def set_aside_by_hand(samples: Collection[int]) -> frozenset[int]:
    """Those of these samples that somebody took out of the search, whatever spoke against them at first."""
    changes = AuditEntry.objects.filter(
        action=AuditAction.SAMPLE_STATUS_CHANGED, subject__in=[f"facesample:{number}" for number in samples]
    )
    # Of each sample the last change counts; what an undo set aside, nobody judged.
    last = dict(changes.order_by("pk").values_list("subject", "details"))
    return frozenset(
        int(subject.partition(":")[2])
        for subject, details in last.items()
        if details["after"] == FaceSample.Status.SET_ASIDE and "move" not in details
    )
