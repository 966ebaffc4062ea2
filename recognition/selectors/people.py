"""Whom a search may find, who cannot be found although they should, and what waits to be enrolled."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from recognition import conf
from recognition.models import DenyListEntry, FaceSample, FaceTemplate, LegalBasis, Person, WaitingPhoto


def recognised() -> Q:
    """The people whom a search may find: active ones, and whoever is on the deny list.

    Setting a person inactive takes them out of every search. It must not take a banned one out, or whoever
    tidies up the gallery opens the door that somebody else closed. Where the site demands a legal basis, whoever
    has no valid one is not found; a deny list entry is a basis of its own.
    """
    known = Q(is_active=True)
    if conf.requires_legal_basis():
        known &= has_valid_basis("pk")
    return Q(merged_into=None) & (known | Q(Exists(DenyListEntry.objects.filter(person=OuterRef("pk")))))


def has_valid_basis(person: str) -> Q:
    """Whether somebody has a legal basis that holds by the clock of the database.

    Args:
        person: the path from the rows that are filtered to the person's number.
    """
    begun = LegalBasis.objects.filter(person=OuterRef(person), withdrawn_at=None, given_at__lte=Now())
    return Q(Exists(begun.filter(Q(valid_until=None) | Q(valid_until__gt=Now()))))


def without_basis() -> QuerySet[Person]:
    """Active people with no valid legal basis, neither a recorded one nor the deny list."""
    return Person.objects.filter(~has_valid_basis("pk"), is_active=True, merged_into=None, deny_list_entry=None)


def following_merges(person: Person) -> Person:
    """The person whom a row stands for: itself, or whom it was merged into, over any number of merges."""
    while person.merged_into is not None:
        person = person.merged_into
    return person


def claimed(external_id: str) -> Person | None:
    """Whom an id claims: who has it, or whom they were merged into; None where a search may find nobody of that id."""
    holder = Person.objects.filter(external_id=external_id).first() if external_id else None
    if holder is None:
        return None
    return Person.objects.filter(recognised(), pk=following_merges(holder).pk).first()


def named(name: str) -> QuerySet[Person]:
    """The people of a name, who were enrolled first coming first; not those who were merged into others."""
    return Person.objects.filter(name=name, merged_into=None).order_by("pk")


def searched_samples() -> QuerySet[FaceSample]:
    """The samples that a search compares with, where the pack in use has embedded them."""
    return FaceSample.objects.filter(status=FaceSample.Status.ACTIVE, person__in=Person.objects.filter(recognised()))


def denied_in_vain(pack_id: int) -> QuerySet[DenyListEntry]:
    """Entries of the deny list that refuse nobody: their person has no sample that a search with the pack sees."""
    searched = FaceTemplate.objects.filter(
        pack_id=pack_id, sample__person=OuterRef("person"), sample__status=FaceSample.Status.ACTIVE
    )
    return DenyListEntry.objects.filter(~Exists(searched), person__merged_into=None)


def waiting_photos(now: dt.datetime) -> QuerySet[WaitingPhoto]:
    """Photos with several faces whose hour is not over, without the file that only their enrolment needs."""
    return WaitingPhoto.objects.filter(expires_at__gt=now).defer("data", "preview_jpeg")
