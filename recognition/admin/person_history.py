"""What was done to a person and their samples, page by page, with ways to what it was about."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils.translation import gettext

from recognition.models import AuditEntry, FaceSample, Person, RecognitionEvent
from recognition.selectors import person_page

ENTRIES_A_PAGE = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """Something that an entry is about.

    Args:
        label: what it is called.
        address: its page.
    """

    label: str
    address: str


@dataclasses.dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry of the history.

    Args:
        entry: as it is stored.
        ways: to what it is about, where that is still there and the reader may see it.
    """

    entry: AuditEntry
    ways: tuple[Way, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class History:
    """One page of the history.

    Args:
        page: which one, of how many.
        entries: of that page, the newest first.
    """

    page: Page[AuditEntry]
    entries: tuple[ShownEntry, ...]


def read(person: Person, *, number: str | None, reader: User) -> History:
    """A page of a person's history; the nearest one where there is none of that number.

    Args:
        person: whose.
        number: of the page, as it was asked for.
        reader: who looks at it; ways lead where they may go.
    """
    page: Page[AuditEntry] = Paginator(person_page.history(person), ENTRIES_A_PAGE).get_page(number)
    ways = _ways(person, list(page.object_list), reader)
    return History(page, tuple(ShownEntry(entry, tuple(ways(entry))) for entry in page.object_list))


def _ways(person: Person, entries: list[AuditEntry], reader: User) -> Callable[[AuditEntry], Iterable[Way]]:
    """Looks up once, for all entries, what they name and is still there."""
    samples = _there(FaceSample, {number for each in entries if (number := _sample_of(each)) is not None})
    named = {number for each in entries for number in _people_of(each)} - {person.pk}
    people = Person.objects.in_bulk(named)
    events = _there(RecognitionEvent, {each.details["event"] for each in entries if "event" in each.details})
    sees_samples = reader.has_perm("recognition.view_facesample")
    sees_events = reader.has_perm("recognition.view_recognitionevent")

    def ways(entry: AuditEntry) -> Iterable[Way]:
        sample, event = _sample_of(entry), entry.details.get("event")
        if sample in samples and sees_samples:
            yield _way(gettext("sample %(number)d") % {"number": sample}, "facesample", sample)
        for number in _people_of(entry):
            if number in people:
                yield _way(people[number].name, "person", number)
        if event in events and sees_events:
            yield _way(gettext("event %(number)d") % {"number": event}, "recognitionevent", event)

    return ways


def _way(label: str, model: str, number: int | None) -> Way:
    return Way(label, reverse(f"admin:recognition_{model}_change", args=[number]))


def _there(model: type[FaceSample | RecognitionEvent], numbers: set[int]) -> set[int]:
    return set(model._default_manager.filter(pk__in=numbers).values_list("pk", flat=True))


def _sample_of(entry: AuditEntry) -> int | None:
    kind, _, number = entry.subject.partition(":")
    return int(number) if kind == "facesample" else None


def _people_of(entry: AuditEntry) -> tuple[int, ...]:
    """The other people whom an entry names: merged, split off, or told apart."""
    kind, _, number = entry.subject.partition(":")
    subject = (int(number),) if kind == "person" else ()
    others = [entry.details[key] for key in ("gone", "new") if key in entry.details]
    return (*subject, *others, *entry.details.get("people", ()))
