"""Pages of a row that was merged into another: they lead to the person whom it is now."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext

from recognition.models import Person
from recognition.selectors import people


class MergedAway(Exception):
    """The row was merged into another one's.

    Args:
        now: the person whom it stands for.
    """

    def __init__(self, now: Person) -> None:
        super().__init__(f"merged into person {now.pk}")
        self.now = now


def standing(person_id: int) -> Person:
    """The person of that number, for a page about them alone; ask for the permission first.

    Raises:
        Http404: when there is none.
        MergedAway: when the row was merged into another one's.
    """
    person = get_object_or_404(Person, pk=person_id)
    if person.merged_into_id is not None:
        raise MergedAway(people.following_merges(person))
    return person


def leading_on(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that leads to the person where the row was merged, and says so."""

    @functools.wraps(view)
    def led(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except MergedAway as merged:
            return lead_on(request, merged.now)

    return led


def of_person(act: Callable[[HttpRequest, Person], HttpResponse]) -> Callable[[HttpRequest, Person], HttpResponse]:
    """What a button of a person's page does, where the row is not merged meanwhile."""

    def acted(request: HttpRequest, person: Person) -> HttpResponse:
        now = people.following_merges(person)
        return act(request, person) if now == person else lead_on(request, now)

    return acted


def lead_on(request: HttpRequest, now: Person) -> HttpResponse:
    """To the person whom a row stands for; nobody is named to who may not see people."""
    words = [gettext("That row was merged into this person.")]
    if request.method == "POST":
        words.append(gettext("Nothing was changed."))
    messages.info(request, " ".join(words))
    return HttpResponseRedirect(reverse("admin:recognition_person_change", args=[now.pk]))
