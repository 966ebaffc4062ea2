"""Whose the face of an event may be."""

from __future__ import annotations

from django.db.models import Min, Q, QuerySet

from recognition.models import FaceSample, Person, RecognitionEvent

MOST_SHOWN = 20
"""So many people are listed; whoever looks for another one types more of the name."""


def people_called(query: str) -> QuerySet[Person]:
    """The people in whose name or external id a text occurs, by name, at most `MOST_SHOWN`; with their first sample."""
    return _listed(Q(name__icontains=query) | Q(external_id__icontains=query))


def people_to_propose(event: RecognitionEvent) -> QuerySet[Person]:
    """Whom the event's face was most like, before anybody looked for another."""
    return _listed(Q(pk__in=[number for number in (event.best_person_id, event.runner_up_id) if number]))


def person_numbered(text: str) -> Person | None:
    """The person of that number; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return Person.objects.filter(pk=int(text)).first()


def _listed(condition: Q) -> QuerySet[Person]:
    searched = Q(samples__status=FaceSample.Status.ACTIVE)
    people = Person.objects.filter(condition).annotate(first_sample=Min("samples", filter=searched))
    return people.order_by("name", "pk")[:MOST_SHOWN]
