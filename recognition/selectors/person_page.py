"""What the page of a person tells beside the fields of the form."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from django.db.models import Q

from recognition.decision import coverage
from recognition.decision.coverage import Coverage
from recognition.models import AuditEntry, FaceSample, Person, PersonMove, RecognitionEvent
from recognition.selectors import legal

HISTORY_SHOWN = 20
"""Newest entries on the page itself; the audit trail has the others."""


@dataclasses.dataclass(frozen=True, slots=True)
class PersonPage:
    """A person at a glance.

    Args:
        coverage: which views the searched samples show.
        last_seen: the newest event that accepted them, also from before a merge; None where there is none.
        moves: merges and splits, the newest first.
        can_undo: primary key of the move that may be undone now; None where there is none.
        history: the newest audit entries about the person and their samples.
    """

    coverage: Coverage
    last_seen: RecognitionEvent | None
    moves: Sequence[PersonMove]
    can_undo: int | None
    history: Sequence[AuditEntry]


def read(person: Person) -> PersonPage:
    """Everything that the page shows of a person."""
    samples = person.samples.filter(status=FaceSample.Status.ACTIVE).values_list("quality", "pose")
    everyone = legal.rows_of(person)
    seen = RecognitionEvent.objects.filter(person__in=everyone).select_related("checkpoint")
    moves = list(
        PersonMove.objects.filter(Q(source=person) | Q(target=person)).select_related("source", "target", "made_by")
    )
    standing = [move for move in moves if move.undone_at is None]
    return PersonPage(
        coverage=coverage.of_samples(samples),
        last_seen=seen.order_by("-decided_at", "-pk").first(),
        moves=moves,
        can_undo=standing[0].pk if standing else None,
        history=_history(person, everyone),
    )


def _history(person: Person, everyone: Sequence[int]) -> Sequence[AuditEntry]:
    samples = person.samples.values_list("pk", flat=True)
    subjects = [*(f"person:{number}" for number in everyone), *(f"facesample:{number}" for number in samples)]
    entries = AuditEntry.objects.filter(subject__in=subjects).select_related("actor").order_by("-pk")
    return list(entries[:HISTORY_SHOWN])
