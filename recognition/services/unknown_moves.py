"""What staff decides on unknown people: it is two, two are one, it is nobody of interest; and how that is undone.

Who it is decides `services.unknown_people`.

Each decision is a row that says what was before, and can be undone while no later one touches the same clusters. Once
somebody decided on a cluster, no run joins it with another such cluster, also after an undo.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from recognition.decision.policy import QualityFault
from recognition.models import (
    AuditAction,
    ErasureReason,
    FaceSample,
    Person,
    RecognitionEvent,
    UnknownCluster,
    UnknownFace,
    UnknownMove,
)
from recognition.selectors import legal
from recognition.services import audit, erasure, holds, people, unknowns

State, Kind = UnknownCluster.State, UnknownMove.Kind

_ACTIONS = {
    Kind.ASSIGN: AuditAction.UNKNOWN_ASSIGNED,
    Kind.CREATE: AuditAction.UNKNOWN_ENROLLED,
    Kind.SPLIT: AuditAction.UNKNOWN_SPLIT,
    Kind.MERGE: AuditAction.UNKNOWN_MERGED,
    Kind.IGNORE: AuditAction.UNKNOWN_IGNORED,
}


class UnknownRefused(Exception):
    """Nothing was changed; the text is for the person who wanted it.

    Args:
        text: why.
        faults: why no face could be enrolled, where that is the reason.
    """

    def __init__(self, text: str, faults: Sequence[QualityFault] = ()) -> None:
        super().__init__(text)
        self.faults = tuple(faults)


@dataclasses.dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did.

    Args:
        move: that is undone.
        person: who was made of the cluster and stays, because something else is known of them by now; else None.
    """

    move: UnknownMove
    person: Person | None = None


@transaction.atomic
def ignore(*, cluster: UnknownCluster, actor: User | None) -> UnknownMove:
    """Says that it is nobody of interest: it is listed apart, and so is every face that joins it later.

    Raises:
        UnknownRefused: when it was decided on before.
    """
    held = open_one(cluster)
    held.state = State.IGNORED
    held.save(update_fields=["state", "is_kept"])
    return record(kind=Kind.IGNORE, clusters=[held], before={}, actor=actor)


@transaction.atomic
def split(*, cluster: UnknownCluster, faces: Collection[int], actor: User | None) -> UnknownCluster:
    """Makes a cluster of its own of some faces, on which nobody has decided.

    Args:
        cluster: whose faces they are.
        faces: numbers of those that go; some, and not all.
        actor: who did it.

    Returns:
        The new one.

    Raises:
        UnknownRefused: when none or all would go, or one of them is a sample of the person by now.
    """
    (held,) = locked([cluster.pk])
    going = list(held.faces.filter(pk__in=faces).values_list("pk", flat=True))
    if not going or not held.faces.exclude(pk__in=going).exists():
        raise UnknownRefused(gettext("Choose some of the faces, and not all: the rest stays here."))
    if held.person is not None and FaceSample.objects.filter(event__in=going, person=held.person).exists():
        raise UnknownRefused(
            gettext("One of these faces is a sample of %(name)s. Undo the assignment, or delete that sample first.")
            % {"name": held.person.name}
        )
    held.save(update_fields=["is_kept"])
    new = UnknownCluster.objects.create(is_kept=True)
    UnknownFace.objects.filter(pk__in=going).update(cluster=new)
    record(kind=Kind.SPLIT, clusters=[held, new], before={}, actor=actor)
    return new


@transaction.atomic
def merge(*, clusters: Collection[UnknownCluster], actor: User | None) -> UnknownCluster:
    """Makes one of several clusters on which nobody has decided.

    Args:
        clusters: two or more.
        actor: who did it.

    Returns:
        The oldest of them, with all faces.

    Raises:
        UnknownRefused: for fewer than two, or when one was decided on before.
    """
    numbers = {each.pk for each in clusters}
    if len(numbers) < 2:
        raise UnknownRefused(gettext("Choose two or more that are the same person."))
    keep, *others = locked(numbers)
    for each in (keep, *others):
        _require_open(each)
        each.save(update_fields=["is_kept"])
    before = {str(each.pk): list(each.faces.values_list("pk", flat=True)) for each in others}
    UnknownFace.objects.filter(cluster__in=others).update(cluster=keep)
    record(kind=Kind.MERGE, clusters=[keep, *others], before={"faces": before}, actor=actor)
    return keep


@transaction.atomic
def undo(*, move: UnknownMove, actor: User | None, now: dt.datetime) -> Undone:
    """Gives back what a decision changed, where it still is there.

    Samples that it enrolled are deleted; whoever was made of a cluster is erased, where nothing else is known of them.

    Args:
        move: the newest one of all its clusters that was not undone.
        actor: who wants it.
        now: with a time zone.

    Raises:
        UnknownRefused: when it was undone before, or a later decision is to be undone first.
        holds.DataHeld: when a legal hold keeps a sample.
        erasure_ledger.LedgerRefused: when it cannot be noted that a restored backup must remove a sample again.
    """
    unknowns.hold_off_others()
    # As an erasure does: what keeps data, then people, then the rest.
    holds.reserve()
    list(Person.objects.select_for_update(of=("self",)).filter(unknown_clusters__in=move.clusters).order_by("pk"))
    rows = {row.pk: row for row in locked(move.clusters)}
    held = UnknownMove.objects.select_for_update().get(pk=move.pk)
    if held.undone_at is not None:
        raise UnknownRefused(gettext("That was undone already."))
    if UnknownMove.objects.filter(clusters__overlap=held.clusters, undone_at=None, pk__gt=held.pk).exists():
        raise UnknownRefused(gettext("Something was decided on these since. Undo that first."))
    kept = None
    match held.kind:
        case Kind.SPLIT:
            source, new = held.clusters
            UnknownFace.objects.filter(cluster=new).update(cluster=source)
        case Kind.MERGE:
            for cluster, numbers in held.before["faces"].items():
                UnknownFace.objects.filter(pk__in=numbers, cluster=held.clusters[0]).update(cluster=int(cluster))
        case _:
            kept = _opened_again(held, rows[held.clusters[0]], actor, now)
    held.undone_at, held.undone_by = now, actor
    held.save(update_fields=["undone_at", "undone_by"])
    audit.record(
        action=AuditAction.UNKNOWN_MOVE_UNDONE,
        actor=actor,
        subject=rows[held.clusters[0]],
        details={"move": held.pk, "kind": held.kind},
    )
    return Undone(held, kept)


def locked(numbers: Collection[int]) -> list[UnknownCluster]:
    """The rows as they are now, held until the end of the transaction; from now on somebody decided on them.

    Raises:
        UnknownRefused: when one is gone.
    """
    unknowns.hold_off_others()
    rows = UnknownCluster.objects.select_for_update(of=("self",)).select_related("person")
    held = list(rows.filter(pk__in=numbers).order_by("pk"))
    if len(held) < len(set(numbers)):
        raise UnknownRefused(gettext("One of them is gone: its pictures were removed. Look at the list again."))
    for row in held:
        row.is_kept = True
    return held


def open_one(cluster: UnknownCluster) -> UnknownCluster:
    """A cluster that nobody decided on, held until the end of the transaction.

    Raises:
        UnknownRefused: when somebody did, or it has no faces any more.
    """
    (held,) = locked([cluster.pk])
    _require_open(held)
    return held


def record(
    *, kind: UnknownMove.Kind, clusters: Sequence[UnknownCluster], before: Mapping[str, Any], actor: User | None
) -> UnknownMove:
    """Keeps what was decided, for its undo and in the audit trail; part of the transaction that does it.

    Args:
        kind: what was done.
        clusters: all that it touched, the one that stays first.
        before: ids that its undo needs.
        actor: who did it.
    """
    numbers = [each.pk for each in clusters]
    move = UnknownMove.objects.create(kind=kind, clusters=numbers, before=dict(before), made_by=actor)
    details = {"move": move.pk, "clusters": numbers, **before}
    audit.record(action=_ACTIONS[kind], actor=actor, subject=clusters[0], details=details)
    return move


def _require_open(cluster: UnknownCluster) -> None:
    if cluster.state != State.OPEN:
        raise UnknownRefused(gettext("Somebody decided on this one meanwhile. Undo that first."))
    if not cluster.faces.exists():
        raise UnknownRefused(
            gettext("There is no face here any more: they were moved, or their pictures were removed.")
        )


def _opened_again(move: UnknownMove, cluster: UnknownCluster, actor: User | None, now: dt.datetime) -> Person | None:
    """Takes back who it is; returns a person who was made of it and cannot go."""
    person = cluster.person
    cluster.state, cluster.person = State.OPEN, None
    cluster.save(update_fields=["state", "person"])
    for sample in FaceSample.objects.filter(pk__in=move.before.get("samples", [])).select_related("person"):
        people.delete_sample(sample=sample, actor=actor)
    if move.kind != Kind.CREATE or person is None:
        return None
    if _is_known_otherwise(person):
        return person
    erasure.request(person=person, reason=ErasureReason.MISTAKE, actor=actor, now=now)
    return None


def _is_known_otherwise(person: Person) -> bool:
    """Whether anything would be lost with a person beside the samples that are gone."""
    rows = legal.rows_of(person)
    seen = legal.events_showing(rows) | RecognitionEvent.objects.filter(runner_up__in=rows)
    return (
        len(rows) > 1
        or person.merged_into_id is not None
        or FaceSample.objects.filter(person__in=rows).exists()
        or seen.exists()
        or person.legal_bases.exists()
        or legal.is_held(rows)
    )
