"""By which right a person is recognised, and what keeps them from being erased."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from recognition.models import (
    ErasureRequest,
    EventHold,
    FaceSample,
    LegalHold,
    Person,
    RecognitionEvent,
    UnknownFace,
)
from recognition.selectors.people import following_merges


def rows_of(person: Person) -> list[int]:
    """The primary keys of a person and of everybody who was merged into them, over any number of merges."""
    found, level = [person.pk], [person.pk]
    while level:
        level = list(Person.objects.filter(merged_into__in=level).values_list("pk", flat=True))
        found += level
    return found


def standing_holds(rows: Collection[int]) -> QuerySet[LegalHold]:
    """The holds on those people that were not lifted."""
    return LegalHold.objects.filter(person__in=rows, lifted_at=None)


def standing_event_holds(rows: Collection[int]) -> QuerySet[EventHold]:
    """The holds that were not lifted on events that show those people."""
    return EventHold.objects.filter(event__in=events_showing(rows), lifted_at=None)


def is_held(rows: Collection[int]) -> bool:
    """Whether a legal hold keeps the data of those people, or an event that shows them."""
    return standing_holds(rows).exists() or standing_event_holds(rows).exists()


def keeps_from_erasure(rows: Collection[int]) -> bool:
    """Whether a legal hold makes the erasure of those people wait: theirs, or that of an event that it would touch.

    What is kept of somebody else for a lawsuit may show them too: the picture, the claim, or who was nearly as close.
    """
    touched = RecognitionEvent.objects.filter(Q(pk__in=events_showing(rows).values("pk")) | Q(runner_up__in=rows))
    return standing_holds(rows).exists() or touched.filter(held_events()).exists()


def waiting_erasure(rows: Collection[int]) -> ErasureRequest | None:
    """The erasure of those people that waits for a hold."""
    return ErasureRequest.objects.filter(person__in=rows, state=ErasureRequest.State.WAITING_FOR_HOLD).first()


def claims_of(rows: Collection[int]) -> Q:
    """The events in which one of those people was claimed to be there, also where they could not be found by the id."""
    ids = Person.objects.filter(pk__in=rows).exclude(external_id=None).exclude(external_id="")
    return Q(claimed_person__in=rows) | Q(claimed_id__in=list(ids.values_list("external_id", flat=True)))


def events_showing(rows: Collection[int]) -> QuerySet[RecognitionEvent]:
    """The events whose picture is, or is held to be, of one of those people."""
    return RecognitionEvent.objects.filter(claims_of(rows) | _is_of(rows) | Q(best_person__in=rows))


def events_of(rows: Collection[int]) -> QuerySet[RecognitionEvent]:
    """Those of them that recognised one of those people, or whose picture somebody said to be theirs."""
    return RecognitionEvent.objects.filter(_is_of(rows))


def _is_of(rows: Collection[int]) -> Q:
    samples = FaceSample.objects.filter(person__in=rows)
    return (
        Q(person__in=rows)
        | Q(pk__in=samples.exclude(event=None).values("event"))
        | Q(pk__in=UnknownFace.objects.filter(cluster__person__in=rows).values("crop"))
    )


def held_events() -> Q:
    """The events that a hold keeps: one of their own, or one on somebody whom they show or may show."""
    own = EventHold.objects.filter(lifted_at=None).values("event")
    on_people = Person.objects.filter(legal_holds__in=LegalHold.objects.filter(lifted_at=None)).distinct()
    rows = {row for person in on_people for row in rows_of(following_merges(person))}
    if not rows:
        return Q(pk__in=own)
    return Q(pk__in=own) | Q(pk__in=events_showing(rows).values("pk")) | Q(runner_up__in=rows)
