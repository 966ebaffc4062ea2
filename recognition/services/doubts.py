"""Answers to the doubts for which samples were set aside."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from recognition.decision.doubts import DoubtReason
from recognition.models import AuditAction, DistinctPair, FaceSample, Person
from recognition.selectors import doubts
from recognition.services import audit, people


class AnswerRefused(Exception):
    """The answer makes no sense any more; the text is for the person who gave it."""


@transaction.atomic
def tell_apart(*, person: Person, other: Person, actor: User | None) -> tuple[FaceSample, ...]:
    """Remembers that two people who are alike really are two, and answers every doubt that they are one.

    Args:
        person: one of them.
        other: the other one.
        actor: who says so.

    Returns:
        The samples of both that are searched from now on, because that was all that spoke against them.

    Raises:
        AnswerRefused: when both are one row.
    """
    if person.pk == other.pk:
        raise AnswerRefused(gettext("That is one person, so there are no two to tell apart."))
    first, second = sorted((person.pk, other.pk))
    pair, is_new = DistinctPair.objects.get_or_create(first_id=first, second_id=second, defaults={"created_by": actor})
    if is_new:
        details = {"people": [first, second]}
        audit.record(action=AuditAction.PEOPLE_TOLD_APART, actor=actor, subject=pair, details=details)
    freed = []
    waiting = doubts.set_aside_for(DoubtReason.IDENTITY_CONFLICT, (first, second))
    for sample in waiting.select_for_update().order_by("pk"):
        left = [doubt for doubt in sample.doubts if not _is_between(doubt, first, second)]
        if left == sample.doubts:
            continue
        if left:
            sample.doubts = left
            sample.save(update_fields=["doubts"])
        else:
            answer(sample=sample, actor=actor)
            freed.append(sample)
    return tuple(freed)


def answer(*, sample: FaceSample, actor: User | None) -> None:
    """Takes a sample into the search, whatever spoke against it; that stays readable beside it."""
    people.set_sample_status(sample=sample, status=FaceSample.Status.ACTIVE, actor=actor)


@transaction.atomic
def take_for_one_again(*, pair: DistinctPair, actor: User | None) -> None:
    """Forgets that two people were told apart: from now on a sample of one that is like the other is doubtful."""
    details = {"people": [pair.first_id, pair.second_id]}
    audit.record(action=AuditAction.PEOPLE_NOT_TOLD_APART, actor=actor, subject=pair, details=details)
    pair.delete()


def _is_between(doubt: dict[str, object], first: int, second: int) -> bool:
    # A sample's own person is one of the two, so the doubt names the other.
    return doubt["reason"] == DoubtReason.IDENTITY_CONFLICT and doubt["person"] in (first, second)
