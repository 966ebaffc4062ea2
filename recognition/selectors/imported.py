"""Who the people of an import are among those who are enrolled, and which of its files they have already."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from recognition.importing.entries import PersonData
from recognition.models import FaceSample, FaceTemplate, ImportItem, Person
from recognition.selectors import people

ROWS_AT_A_TIME = 1000

T = TypeVar("T")


class Enrolled:
    """The rows of many people, asked for at once; they are what they were then.

    Who somebody is, is told by the external id where there is one, else by name. Of several people of a name it is
    the one enrolled first; of people who were all merged into others, whom the first was merged into.
    """

    def __init__(self, wanted: Iterable[PersonData]) -> None:
        """Asks for everybody who may be meant."""
        asked = list(wanted)
        self._of_id = dict(_rows("external_id", {person.external_id for person in asked if person.external_id}))
        self._of_name: dict[str, Person] = {}
        for name, row in _rows("name", {person.name for person in asked if not person.external_id}):
            first = self._of_name.setdefault(name, row)
            if first.merged_into_id is not None and row.merged_into_id is None:
                self._of_name[name] = row

    def find(self, person: PersonData) -> Person | None:
        """Who it is; None where they are not enrolled."""
        row = self._of_id.get(person.external_id) if person.external_id else self._of_name.get(person.name)
        return people.following_merges(row) if row is not None else None

    def add(self, person: PersonData, row: Person) -> None:
        """Somebody who is to be enrolled, so that they are found too."""
        if person.external_id:
            self._of_id[person.external_id] = row
        known = self._of_name.get(person.name)
        if known is None or known.merged_into_id is not None:
            self._of_name[person.name] = row


class KnownFiles:
    """The files that people have already and that the pack in use has embedded, asked for at once."""

    def __init__(self, wanted: Collection[PersonData]) -> None:
        """Asks for the files of all those people; there are none where no pack is in use yet."""
        self._people = Enrolled(wanted)
        rows = {row.pk for person in wanted if (row := self._people.find(person)) is not None}
        self._files: dict[int, set[str]] = {}
        for some in _chunks(rows):
            templates = FaceTemplate.objects.filter(pack__is_active=True, sample__person__in=some)
            for number, image_sha256 in templates.values_list("sample__person_id", "sample__image_sha256"):
                self._files.setdefault(number, set()).add(image_sha256)

    def of(self, person: PersonData) -> Collection[str]:
        """The digests of all files that are enrolled for somebody, so that they need not be looked at."""
        row = self._people.find(person)
        return self._files.get(row.pk, ()) if row is not None else ()


def files_of(rows: Collection[int]) -> QuerySet[ImportItem]:
    """Files of imports that made a sample of those people, or name them; those that wait would enrol them again."""
    samples = FaceSample.objects.filter(person__in=rows)
    made = ImportItem.objects.filter(Q(sample__in=samples) | Q(image_sha256__in=samples.values("image_sha256")))
    names = Q(pk__in=made.values("pk"))
    for name, number in Person.objects.filter(pk__in=rows).values_list("name", "external_id"):
        names |= _says(name, number)
    # Under the name that an import gave them, whatever they were called since.
    for said in made.filter(sample__in=samples).values_list("person", flat=True).distinct():
        if said is not None and not _is_somebody_else(said, rows):
            names |= _says(said.get("name", ""), said.get("external_id"))
    return ImportItem.objects.filter(names)


def _says(name: str, external_id: str | None) -> Q:
    """Files that an import counts as of such a person: by the external id where there is one, else by name."""
    without_id = Q(person__external_id=None) | Q(person__external_id="")
    named = Q(person__name=name) & without_id
    return named | Q(person__external_id=external_id) if external_id else named


def _is_somebody_else(said: Mapping[str, Any], rows: Collection[int]) -> bool:
    """Whether an import would take it for somebody who stays; their sample was moved to whom is erased."""
    number = said.get("external_id")
    others = Person.objects.exclude(pk__in=rows)
    return others.filter(external_id=number).exists() if number else others.filter(name=said.get("name", "")).exists()


def _rows(field: str, values: set[str]) -> Iterator[tuple[str, Person]]:
    """Each person with the value by which they were asked for, who were enrolled first coming first."""
    for some in _chunks(values):
        for row in Person.objects.filter(**{f"{field}__in": some}).order_by("pk"):
            yield getattr(row, field), row


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(values)
    while some := list(itertools.islice(iterator, ROWS_AT_A_TIME)):
        yield some
