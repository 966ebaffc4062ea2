"""Merges two rows of one person, splits a row of two people, and undoes both.

A row that was merged into another stays, hidden: events that name it stay true, its id still leads to the person, and
the merge can be undone. What stands against somebody is never lost: of suspension and deny list the stricter holds.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from recognition.decision.doubts import DoubtReason
from recognition.models import AuditAction, DenyListEntry, DistinctPair, FaceSample, Person, PersonMove
from recognition.selectors import doubts as doubts_read
from recognition.services import audit, doubts
from recognition.services.doubts import Judged

_OWN = ("external_id", "notes", "is_suspended", "pin_hash")
"""Fields of the person who stays that a merge may change, and its undo gives back."""


class MoveRefused(Exception):
    """Nothing was merged, split or undone; the text is for the person who wanted it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did.

    Args:
        samples: how many went back.
        missing: how many did not, because they were deleted or moved on meanwhile.
    """

    samples: int
    missing: int


@transaction.atomic
def merge(*, keep: Person, gone: Person, actor: User | None) -> PersonMove:
    """Makes one person of two rows.

    Name, validity and whether they are active stay those of `keep`; groups are united, notes joined, and
    an id or PIN is taken from `gone` where `keep` has none. A file that both have stays with `gone`.

    Args:
        keep: who stays.
        gone: whose samples they get.
        actor: who did it.

    Raises:
        MoveRefused: for one row twice, or one that was merged before; also when photos are kept of one of
            them alone, because those that would have to be deleted could not come back.
    """
    keep, gone = _locked(keep, gone)
    if keep.keeps_photos != gone.keeps_photos:
        names = {"without": gone.name if keep.keeps_photos else keep.name}
        names["other"] = keep.name if keep.keeps_photos else gone.name
        raise MoveRefused(
            gettext("No photos are kept of %(without)s. Keep none of %(other)s either, then merge them.") % names
        )
    before: dict[str, Any] = {
        name: {field: getattr(row, field) for field in _OWN} for name, row in (("keep", keep), ("gone", gone))
    }
    before["was_active"] = gone.is_active
    before["groups"] = _added_groups(keep, gone)
    before["deny_list_entry"] = _deny_list_entry_moved(keep, gone)
    _fields_united(keep, gone)
    known = keep.samples.values_list("image_sha256", flat=True)
    before["samples"] = _moved(gone.samples.exclude(image_sha256__in=known), keep)
    before.update(_pairs_followed(keep, gone))
    before["judged"] = _judged(_doubted_by(keep, gone), actor)
    before["after"] = {field: getattr(keep, field) for field in _OWN}
    move = PersonMove.objects.create(kind=PersonMove.Kind.MERGE, source=gone, target=keep, before=before, made_by=actor)
    details = {"gone": gone.pk, "samples": len(before["samples"]), "move": move.pk}
    audit.record(action=AuditAction.PERSON_MERGED, actor=actor, subject=keep, details=details)
    return move


@transaction.atomic
def split(
    *, person: Person, samples: Collection[int], name: str, actor: User | None, external_id: str = ""
) -> PersonMove:
    """Makes a person of their own of some samples; both are told apart from now on.

    The new person is suspended, valid and on the deny list as the old one is, and belongs to no group.

    Args:
        person: whose samples they are.
        samples: primary keys of those that go; some, and not all.
        name: of the new person.
        actor: who did it.
        external_id: of the new person; empty for none.

    Raises:
        MoveRefused: without a name, with an id that somebody has, or when none or all of the samples would go.
    """
    (person,) = _locked(person)
    cleaned = " ".join(name.split())
    longest = Person._meta.get_field("name").max_length or 0
    if not 0 < len(cleaned) <= longest:
        raise MoveRefused(gettext("Give the new person a name of 1 to %(longest)s characters.") % {"longest": longest})
    going = person.samples.filter(pk__in=samples)
    if not going.exists() or not person.samples.exclude(pk__in=samples).exists():
        raise MoveRefused(gettext("Choose some of the samples, and not all: the rest stays with this person."))
    new = Person.objects.create(
        name=cleaned,
        external_id=_free_id(external_id),
        is_active=person.is_active,
        is_suspended=person.is_suspended,
        valid_from=person.valid_from,
        valid_until=person.valid_until,
        keeps_photos=person.keeps_photos,
    )
    entry = DenyListEntry.objects.filter(person=person).first()
    if entry is not None:
        DenyListEntry.objects.create(person=new, reason=entry.reason, created_by=actor)
    moved = _moved(going, new)
    doubts.remember_pair(person=person, other=new, actor=actor)
    judged = _judged(doubts_read.waiting_of((person.pk, new.pk)), actor)
    before = {"samples": moved, "external_id": new.external_id, "judged": judged}
    move = PersonMove.objects.create(
        kind=PersonMove.Kind.SPLIT, source=person, target=new, before=before, made_by=actor
    )
    details = {"new": new.pk, "samples": len(moved), "move": move.pk}
    audit.record(action=AuditAction.PERSON_SPLIT, actor=actor, subject=person, details=details)
    return move


def _free_id(text: str) -> str | None:
    """An external id as it is stored, None for none; those of merged rows are taken too: they lead to the person."""
    cleaned = text.strip()
    longest = Person._meta.get_field("external_id").max_length or 0
    if len(cleaned) > longest:
        raise MoveRefused(gettext("An external id has at most %(longest)s characters.") % {"longest": longest})
    if cleaned and Person.objects.filter(external_id=cleaned).exists():
        raise MoveRefused(gettext("Somebody has the external id %(id)s already. Give another one.") % {"id": cleaned})
    return cleaned or None


@transaction.atomic
def undo(*, move: PersonMove, actor: User | None, now: dt.datetime) -> Undone:
    """Gives back what a merge or a split moved, where it still is there.

    A value that somebody changed since the merge stays as they left it.

    Args:
        move: the newest one of both people that was not undone.
        actor: who wants it.
        now: with a time zone.

    Raises:
        MoveRefused: when it was undone before, when a later move is to be undone first, or when the person
            whom a split made has got more samples since, or was banned or suspended.
    """
    both = (move.source_id, move.target_id)
    # As in a merge: first the people, in the order of their keys, and nothing that was read before that counts.
    rows = {row.pk: row for row in Person.objects.select_for_update().filter(pk__in=both).order_by("pk")}
    held = PersonMove.objects.select_for_update().filter(pk=move.pk).first()
    if held is None:
        raise MoveRefused(gettext("One of the two was deleted meanwhile."))
    if held.undone_at is not None:
        raise MoveRefused(gettext("That was undone already."))
    later = PersonMove.objects.filter(Q(source__in=both) | Q(target__in=both), undone_at=None, pk__gt=held.pk)
    if later.exists():
        raise MoveRefused(gettext("One of the two was merged or split again since. Undo that first."))
    source, target = held.source, held.target = rows[held.source_id], rows[held.target_id]
    if held.kind == PersonMove.Kind.SPLIT:
        _joined_again(held, actor)
    else:
        _apart_again(held, keep=target, gone=source)
    _taken_back(held, actor)
    wanted = held.before["samples"]
    back = _moved(target.samples.filter(pk__in=wanted), source)
    held.undone_at, held.undone_by = now, actor
    held.save(update_fields=["undone_at", "undone_by"])
    details = {"move": held.pk, "kind": held.kind, "samples": len(back)}
    audit.record(action=AuditAction.PERSON_MOVE_UNDONE, actor=actor, subject=source, details=details)
    return Undone(samples=len(back), missing=len(wanted) - len(back))


def _locked(*rows: Person) -> tuple[Person, ...]:
    """The rows as they are now, held until the end of the transaction.

    In the order of their keys, so that two moves of the same people wait for each other and never for ever.
    """
    numbers = [row.pk for row in rows]
    if len(set(numbers)) < len(numbers):
        raise MoveRefused(gettext("That is one person already. Choose another one."))
    held = {row.pk: row for row in Person.objects.select_for_update().filter(pk__in=numbers).order_by("pk")}
    if len(held) < len(numbers) or any(row.merged_into_id is not None for row in held.values()):
        raise MoveRefused(gettext("One of the people was merged or deleted meanwhile. Look at them again."))
    return tuple(held[number] for number in numbers)


def _moved(samples: Any, person: Person) -> list[int]:
    numbers = list(samples.order_by("pk").values_list("pk", flat=True))
    FaceSample.objects.filter(pk__in=numbers).update(person=person)
    return numbers


def _added_groups(keep: Person, gone: Person) -> list[int]:
    added = set(gone.groups.values_list("pk", flat=True)) - set(keep.groups.values_list("pk", flat=True))
    keep.groups.add(*added)
    return sorted(added)


def _deny_list_entry_moved(keep: Person, gone: Person) -> int | None:
    """Whoever was banned under either row stays banned; of two entries that of `keep` tells why."""
    if DenyListEntry.objects.filter(person=keep).exists():
        return None
    entry = DenyListEntry.objects.filter(person=gone).first()
    if entry is None:
        return None
    entry.person = keep
    entry.save(update_fields=["person"])
    return entry.pk


def _fields_united(keep: Person, gone: Person) -> None:
    keep.is_suspended = keep.is_suspended or gone.is_suspended
    keep.notes = "\n".join(filter(None, [keep.notes, gone.notes]))
    keep.pin_hash = keep.pin_hash or gone.pin_hash
    if not keep.external_id and gone.external_id:
        keep.external_id, gone.external_id = gone.external_id, None
    gone.merged_into, gone.is_active = keep, False
    # First the one that gives its id away: it is unique.
    gone.save(update_fields=["external_id", "merged_into", "is_active"])
    keep.save(update_fields=list(_OWN))


def _pairs_followed(keep: Person, gone: Person) -> dict[str, list[Any]]:
    """Whom `gone` was told apart from, `keep` is too; that the two were told apart was wrong."""
    first, second = sorted((keep.pk, gone.pk))
    wrong = DistinctPair.objects.filter(first=first, second=second)
    was_apart = wrong.exists()
    wrong.delete()
    new = doubts_read.told_apart_from(gone.pk) - doubts_read.told_apart_from(keep.pk)
    for other in new:
        low, high = sorted((keep.pk, other))
        DistinctPair.objects.create(first_id=low, second_id=high)
    return {"was_apart": [was_apart], "pairs": sorted(new)}


def _doubted_by(keep: Person, gone: Person) -> QuerySet[FaceSample]:
    """Samples that wait for what a merge may make void: like one of the two, or unlike the others of one of them."""
    both = (keep.pk, gone.pk)
    unlike = [{"reason": str(DoubtReason.OWN_OUTLIER)}]
    return doubts_read.waiting_as_like(both) | doubts_read.waiting_of([keep.pk]).filter(doubts__contains=unlike)


def _judged(samples: QuerySet[FaceSample], actor: User | None) -> list[dict[str, Any]]:
    return [dataclasses.asdict(each) for each in doubts.judge_again(samples=samples, actor=actor)]


def _taken_back(move: PersonMove, actor: User | None) -> None:
    judged = [Judged(**each) for each in move.before.get("judged", ())]
    # A merge of before samples were judged again kept which of them it had freed.
    old = FaceSample.objects.in_bulk(move.before.get("freed", ()))
    judged += [Judged(sample.pk, sample.doubts, sample.doubts, is_freed=True) for sample in old.values()]
    doubts.take_back(judged=judged, move=move.pk, actor=actor)


def _joined_again(move: PersonMove, actor: User | None) -> None:
    new = move.target
    if new.samples.exclude(pk__in=move.before["samples"]).exists():
        raise MoveRefused(gettext("The person whom the split made has got more samples since. Merge the two instead."))
    is_denied = {entry.person_id for entry in DenyListEntry.objects.filter(person__in=(move.source, new))}
    if (new.is_suspended and not move.source.is_suspended) or is_denied == {new.pk}:
        raise MoveRefused(
            gettext(
                "%(new)s is suspended or on the deny list, and %(old)s is not. Merge the two instead, so that it holds."
            )
            % {"new": new.name, "old": move.source.name}
        )
    if new.keeps_photos != move.source.keeps_photos:
        raise MoveRefused(gettext("Photos are kept of one of the two alone. Make that the same for both first."))
    first, second = sorted((move.source_id, new.pk))
    for pair in DistinctPair.objects.filter(first=first, second=second):
        doubts.take_for_one_again(pair=pair, actor=actor)
    DenyListEntry.objects.filter(person=new).delete()
    new.merged_into, new.is_active = move.source, False
    if new.external_id == move.before.get("external_id"):
        # The split gave it, so it is free again; one that was given since leads to whose samples they are now.
        new.external_id = None
    new.save(update_fields=["merged_into", "is_active", "external_id"])


def _apart_again(move: PersonMove, *, keep: Person, gone: Person) -> None:
    before = move.before
    _pairs_undone(before, keep, gone)
    keep.groups.remove(*before["groups"])
    DenyListEntry.objects.filter(pk=before["deny_list_entry"], person=keep).update(person=gone)
    _fields_apart(before, keep, gone)


def _fields_apart(before: dict[str, Any], keep: Person, gone: Person) -> None:
    for field in _OWN:
        if getattr(keep, field) == before["after"][field]:
            setattr(keep, field, before["keep"][field])
    keep.save(update_fields=list(_OWN))
    wanted = before["gone"]["external_id"]
    if wanted and not Person.objects.filter(external_id=wanted).exclude(pk=gone.pk).exists():
        gone.external_id = wanted
    gone.merged_into, gone.is_active = None, before["was_active"]
    # Whoever wanted no photos since, of the two as one, wanted none of either.
    gone.keeps_photos = gone.keeps_photos and keep.keeps_photos
    gone.save(update_fields=["external_id", "merged_into", "is_active", "keeps_photos"])


def _pairs_undone(before: dict[str, Any], keep: Person, gone: Person) -> None:
    for other in before["pairs"]:
        low, high = sorted((keep.pk, other))
        DistinctPair.objects.filter(first=low, second=high).delete()
    if before["was_apart"][0]:
        low, high = sorted((keep.pk, gone.pk))
        DistinctPair.objects.get_or_create(first_id=low, second_id=high)
