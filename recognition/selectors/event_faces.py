"""Whose the face of an event may be."""

from __future__ import annotations

from django.db.models import Min, Q, QuerySet

from recognition.models import FaceSample, Person, RecognitionEvent
from recognition.selectors import people

MOST_SHOWN = 20
"""So many people are listed; whoever looks for another one types more of the name."""


def people_called(query: str) -> QuerySet[Person]:
    """The people in whose name or external id a text occurs, by name, at most `MOST_SHOWN`; with their first sample."""
    return _listed(Q(name__icontains=query) | Q(external_id__icontains=query))


def people_to_propose(event: RecognitionEvent) -> QuerySet[Person]:
    """Whom the event's face was most like, before anybody looked for another."""
    alike = [person for person in (event.best_person, event.runner_up) if person is not None]
    return _listed(Q(pk__in=[people.following_merges(person).pk for person in alike]))


def person_numbered(text: str) -> Person | None:
    """The person of that number; None for anything else, also for a row that was merged into another."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return Person.objects.filter(pk=int(text), merged_into=None).first()


def _listed(condition: Q) -> QuerySet[Person]:
    searched = Q(samples__status=FaceSample.Status.ACTIVE)
    found = Person.objects.filter(condition, merged_into=None)
    return found.annotate(first_sample=Min("samples", filter=searched)).order_by("name", "pk")[:MOST_SHOWN]
