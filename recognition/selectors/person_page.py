"""What the page of a person tells beside the fields of the form."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from django.db.models import Q, QuerySet

from recognition.decision import coverage
from recognition.decision.coverage import Coverage
from recognition.models import (
    AuditEntry,
    DistinctPair,
    FaceSample,
    Person,
    PersonMove,
    RecognitionEvent,
    SampleImage,
    WaitingPhoto,
)
from recognition.selectors import legal


@dataclasses.dataclass(frozen=True, slots=True)
class PersonPage:
    """A person at a glance.

    Args:
        coverage: which views the searched samples show.
        last_seen: the newest event that accepted them, also from before a merge; None where there is none.
        moves: merges and splits, the newest first.
        can_undo: primary key of the move that may be undone now; None where there is none.
        photos: how many are stored of them, those of rows that were merged into theirs included.
        waiting: how many uploads of them wait until somebody chooses the right face.
    """

    coverage: Coverage
    last_seen: RecognitionEvent | None
    moves: Sequence[PersonMove]
    can_undo: int | None
    photos: int
    waiting: int


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
        photos=SampleImage.objects.filter(sample__person__in=everyone).count(),
        waiting=WaitingPhoto.objects.filter(person__in=everyone).count(),
    )


def history(person: Person) -> QuerySet[AuditEntry]:
    """What was done to a person, their samples and pairs, and under the rows that are theirs now; the newest first."""
    everyone = legal.rows_of(person)
    samples = person.samples.values_list("pk", flat=True)
    pairs = DistinctPair.objects.filter(Q(first__in=everyone) | Q(second__in=everyone)).values_list("pk", flat=True)
    subjects = [
        *(f"person:{number}" for number in everyone),
        *(f"facesample:{number}" for number in samples),
        *(f"distinctpair:{number}" for number in pairs),
    ]
    # Of samples that were deleted, what they were is all that is left.
    gone = Q(subject__startswith="facesample:", details__person__in=everyone)
    return AuditEntry.objects.filter(Q(subject__in=subjects) | gone).select_related("actor").order_by("-pk")
