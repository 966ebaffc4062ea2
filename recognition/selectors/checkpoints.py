"""What a checkpoint asks of people, and how a person stands now."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, OuterRef, Q

from recognition.decision.standing import Standing
from recognition.models import Checkpoint, DenyListEntry, Person
from recognition.selectors import packs
from recognition.selectors.people import recognised


@dataclasses.dataclass(frozen=True, slots=True)
class CheckpointView:
    """A checkpoint as its page and its transactions see it.

    Args:
        id: primary key.
        slug: its address is `/checkpoint/SLUG/`.
        name: for people.
        place: where it is; may be empty.
        mode: of `Checkpoint.Mode`.
        is_active: whether it decides anything.
        admits_groups: primary keys of the groups that may pass; None admits everybody, an empty set nobody.
        requires_pin: whether the policy that holds there asks a claim for a PIN.
        has_action: whether something is called when somebody is accepted.
    """

    id: int
    slug: str
    name: str
    place: str
    mode: Checkpoint.Mode
    is_active: bool
    admits_groups: frozenset[int] | None
    requires_pin: bool
    has_action: bool


def by_slug(slug: str) -> CheckpointView | None:
    """The checkpoint of that address, None where there is none."""
    return _view(Checkpoint.objects.filter(slug=slug).first())


def by_id(checkpoint_id: int) -> CheckpointView | None:
    """The checkpoint of that number, None where there is none."""
    return _view(Checkpoint.objects.filter(pk=checkpoint_id).first())


def standing(person_id: int) -> Standing | None:
    """What the database says of a person now, read by one statement.

    Returns:
        None when there is no such person any more, or none that a search may find.
    """
    return standings([person_id]).get(person_id)


def standings(person_ids: Iterable[int]) -> Mapping[int, Standing]:
    """What the database says of several people now, by their numbers; those whom no search may find are left out."""
    rows = Person.objects.filter(recognised(), pk__in=person_ids).annotate(
        group_ids=ArrayAgg("groups", filter=Q(groups__isnull=False), default=[]),
        is_deny_listed=Exists(DenyListEntry.objects.filter(person=OuterRef("pk"))),
    )
    return {
        row.pk: Standing(
            person_id=row.pk,
            is_deny_listed=row.is_deny_listed,
            is_suspended=row.is_suspended,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            group_ids=frozenset(row.group_ids),
        )
        for row in rows
    }


def _view(checkpoint: Checkpoint | None) -> CheckpointView | None:
    if checkpoint is None:
        return None
    return CheckpointView(
        id=checkpoint.pk,
        slug=checkpoint.slug,
        name=checkpoint.name,
        place=checkpoint.place,
        mode=Checkpoint.Mode(checkpoint.mode),
        is_active=checkpoint.is_active,
        admits_groups=admitted_groups(checkpoint),
        requires_pin=_requires_pin(checkpoint.pk),
        has_action=bool(checkpoint.action_url),
    )


def admitted_groups(checkpoint: Checkpoint) -> frozenset[int] | None:
    """Primary keys of the groups that may pass; None admits everybody, an empty set nobody."""
    if checkpoint.admits == Checkpoint.Admits.EVERYONE:
        return None
    return frozenset(checkpoint.allowed_groups.values_list("pk", flat=True))


def _requires_pin(checkpoint_id: int) -> bool:
    try:
        policy = packs.active(checkpoint_id).policy
    except packs.NoActivePack:
        return False
    return policy is not None and policy.requires_pin
