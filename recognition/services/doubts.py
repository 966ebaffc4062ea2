"""Answers to the doubts for which samples were set aside, and what becomes of doubts when it changes who is who."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from recognition.decision.doubts import Doubt, DoubtReason
from recognition.models import AuditAction, DistinctPair, FaceSample, Person
from recognition.selectors import doubts, packs
from recognition.selectors import people as people_read
from recognition.services import audit, people


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """A sample that was judged again.

    Args:
        sample: primary key.
        before: its doubts, as they were stored.
        after: those that it has now; of one that is searched again they stay readable.
        is_freed: whether it is searched now.
    """

    sample: int
    before: Sequence[Mapping[str, Any]]
    after: Sequence[Mapping[str, Any]]
    is_freed: bool


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
    remember_pair(person=person, other=other, actor=actor)
    both = (person.pk, other.pk)
    judged = judge_again(samples=doubts.waiting_of(both) & doubts.waiting_as_like(both), actor=actor)
    freed = [each.sample for each in judged if each.is_freed]
    return tuple(FaceSample.objects.filter(pk__in=freed).order_by("pk"))


@transaction.atomic
def remember_pair(*, person: Person, other: Person, actor: User | None) -> None:
    """Remembers that two people really are two, and judges nothing anew."""
    first, second = sorted((person.pk, other.pk))
    pair, is_new = DistinctPair.objects.get_or_create(first_id=first, second_id=second, defaults={"created_by": actor})
    if is_new:
        details = {"people": [first, second]}
        audit.record(action=AuditAction.PEOPLE_TOLD_APART, actor=actor, subject=pair, details=details)


@transaction.atomic
def judge_again(*, samples: QuerySet[FaceSample], actor: User | None) -> tuple[Judged, ...]:
    """Judges samples that wait by the gallery as it is now: whose doubts are void is searched from now on.

    What somebody set aside by hand stays so. A sample that is searched again counts for those that wait beside it.

    Args:
        samples: that are set aside for doubts.
        actor: who did what makes it necessary.

    Returns:
        Those of which anything changed, so that it can be taken back.
    """
    waiting = {sample.pk: sample for sample in samples.select_for_update().order_by("pk")}
    for number in doubts.set_aside_by_hand(waiting):
        del waiting[number]
    pack = _pack_in_use()
    judged = []
    has_freed = True
    while has_freed:
        has_freed = False
        for sample in list(waiting.values()):
            if not _left(sample, pack):
                answer(sample=sample, actor=actor)
                judged.append(Judged(sample.pk, sample.doubts, sample.doubts, is_freed=True))
                has_freed = bool(waiting.pop(sample.pk))
    for sample in waiting.values():
        before, left = sample.doubts, [doubt.as_json() for doubt in _left(sample, pack)]
        if left != before:
            sample.doubts = left
            sample.save(update_fields=["doubts"])
            judged.append(Judged(sample.pk, before, left, is_freed=False))
    return tuple(judged)


@transaction.atomic
def take_back(*, judged: Sequence[Judged], move: int, actor: User | None) -> None:
    """Sets samples aside again for what spoke against them, where nobody has touched them since.

    Args:
        judged: as `judge_again` told.
        move: primary key of the merge or split that is undone.
        actor: who undoes it.
    """
    rows = FaceSample.objects.select_for_update().in_bulk([each.sample for each in judged])
    for each in judged:
        sample = rows.get(each.sample)
        status = FaceSample.Status.ACTIVE if each.is_freed else FaceSample.Status.SET_ASIDE
        if sample is None or (sample.status, sample.doubts) != (status, list(each.after)):
            continue
        sample.doubts = list(each.before)
        sample.save(update_fields=["doubts"])
        people.set_sample_status(sample=sample, status=FaceSample.Status.SET_ASIDE, actor=actor, move=move)


def answer(*, sample: FaceSample, actor: User | None) -> None:
    """Takes a sample into the search, whatever spoke against it; that stays readable beside it."""
    people.set_sample_status(sample=sample, status=FaceSample.Status.ACTIVE, actor=actor)


@transaction.atomic
def take_for_one_again(*, pair: DistinctPair, actor: User | None) -> None:
    """Forgets that two people were told apart: from now on a sample of one that is like the other is doubtful."""
    details = {"people": [pair.first_id, pair.second_id]}
    audit.record(action=AuditAction.PEOPLE_NOT_TOLD_APART, actor=actor, subject=pair, details=details)
    pair.delete()


def _pack_in_use() -> packs.ActivePack | None:
    try:
        return packs.active()
    except packs.NoActivePack:
        return None


def _left(sample: FaceSample, pack: packs.ActivePack | None) -> tuple[Doubt, ...]:
    """What speaks against a sample now; where nobody can measure it, what is not void by who is who."""
    found = doubts.of_stored(sample, pack)
    if found is not None:
        return found
    stored = [Doubt.from_json(each) for each in sample.doubts]
    nobody_else = {sample.person_id, *doubts.told_apart_from(sample.person_id)}
    return tuple(doubt for doubt in stored if not _is_void(doubt, nobody_else))


def _is_void(doubt: Doubt, nobody_else: set[int]) -> bool:
    """Whether a sample is said to be like somebody who is its own person now, or was told apart from them."""
    if doubt.reason is not DoubtReason.IDENTITY_CONFLICT:
        return False
    row = Person.objects.filter(pk=doubt.person_id).first()
    return row is None or people_read.following_merges(row).pk in nobody_else
