"""Merging two rows of one person, splitting a row of two people, undoing both, and keeping no photos."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from recognition.admin import merged, person_samples
from recognition.admin.base import actor_of
from recognition.models import FaceSample, Person, PersonMove
from recognition.services import merging, people

FOUND_SHOWN = 20
"""People that the search for the other one lists."""

PICTURES_SHOWN = 8
"""Samples of each person on the page of a merge."""


def addresses(owner: ModelAdmin[Any]) -> list[URLPattern]:
    """The addresses of the pages."""
    pages = _Pages(owner)

    def address(end: str, name: str, view: Callable[..., HttpResponse]) -> URLPattern:
        led = owner.admin_site.admin_view(merged.leading_on(view))
        return path(f"<int:person_id>/{end}/", led, name=f"recognition_person_{name}")

    return [
        address("merge", "merge", pages.merge),
        address("split", "split", pages.split),
        address("undo/<int:move_id>", "undo", pages.undo),
        address("photos", "photos", pages.photos),
    ]


def change_page(person_id: int) -> str:
    """The address of a person's own page."""
    return reverse("admin:recognition_person_change", args=[person_id])


class _Pages:
    def __init__(self, owner: ModelAdmin[Any]) -> None:
        self._owner = owner

    def merge(self, request: HttpRequest, person_id: int) -> HttpResponse:
        """Finds the other one, shows both side by side, and merges them."""
        person = _person(request, person_id, "recognition.merge_person")
        text = request.POST.get("other") or request.GET.get("other", "")
        other = Person.objects.filter(pk=text, merged_into=None).first() if text.isdecimal() else None
        if request.method == "POST" and other is not None:
            keep, gone = (other, person) if request.POST.get("keep") == str(other.pk) else (person, other)
            try:
                move = merging.merge(keep=keep, gone=gone, actor=actor_of(request))
            except merging.MoveRefused as refused:
                messages.error(request, str(refused))
                return HttpResponseRedirect(change_page(person.pk))
            names = {"gone": gone.name, "keep": keep.name}
            text = gettext("%(gone)s is merged into %(keep)s. It can be undone below.") % names
            messages.success(request, _with_freed(text, move))
            return HttpResponseRedirect(change_page(move.target_id))
        query = request.GET.get("q", "").strip()
        title = gettext("Merge %(name)s with somebody") % {"name": person.name}
        if other is not None:
            title = gettext("Merge %(name)s and %(other)s") % {"name": person.name, "other": other.name}
        return self._page(
            request,
            "merge.html",
            person,
            title,
            {"other": other, "both": [_side(each) for each in (person, other) if each], "query": query}
            | {"found": _found(person, query), "is_same": other == person, "is_wrong": bool(text) and other is None},
        )

    def split(self, request: HttpRequest, person_id: int) -> HttpResponse:
        """Shows the samples, and makes a person of those that are chosen."""
        person = _person(request, person_id, "recognition.merge_person")
        chosen: set[int] = set()
        if request.method == "POST":
            chosen = {int(number) for number in request.POST.getlist("samples") if number.isdecimal()}
            try:
                move = merging.split(
                    person=person,
                    samples=chosen,
                    name=request.POST.get("name", ""),
                    external_id=request.POST.get("external_id", ""),
                    actor=actor_of(request),
                )
            except merging.MoveRefused as refused:
                messages.error(request, str(refused))
            else:
                names = {"name": move.target.name, "old": person.name}
                text = gettext("%(name)s is a person of their own now, and not %(old)s. It can be undone below.")
                messages.success(request, _with_freed(text % names, move))
                return HttpResponseRedirect(change_page(move.target_id))
        title = gettext("Split %(name)s") % {"name": person.name}
        context = {
            "samples": person_samples.of_person(person),
            "chosen": chosen,
            "name": request.POST.get("name", ""),
            "external_id": request.POST.get("external_id", ""),
        }
        return self._page(request, "split.html", person, title, context)

    def undo(self, request: HttpRequest, person_id: int, move_id: int) -> HttpResponse:
        """Undoes a merge or a split."""
        person = _person(request, person_id, "recognition.merge_person")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        move = get_object_or_404(PersonMove, pk=move_id)
        try:
            done = merging.undo(move=move, actor=actor_of(request), now=timezone.now())
        except merging.MoveRefused as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(change_page(person.pk))
        text = ngettext("%(count)d sample went back.", "%(count)d samples went back.", done.samples)
        words = [gettext("It is undone."), text % {"count": done.samples}]
        if done.missing:
            gone = ngettext("%(count)d is not there any more.", "%(count)d are not there any more.", done.missing)
            words.append(gone % {"count": done.missing})
        messages.success(request, " ".join(words))
        return HttpResponseRedirect(change_page(move.source_id))

    def photos(self, request: HttpRequest, person_id: int) -> HttpResponse:
        """Keeps no photos of a person any more, or keeps those that come from now on."""
        person = _person(request, person_id, "recognition.change_person")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        keeps = request.POST.get("keep") == "1"
        removed = people.set_keeps_photos(person=person, keeps=keeps, actor=actor_of(request))
        if keeps:
            messages.success(request, gettext("Photos that come from now on are kept."))
        else:
            text = ngettext(
                "%(count)d photo is removed; only templates are kept from now on.",
                "%(count)d photos are removed; only templates are kept from now on.",
                removed,
            )
            messages.success(request, text % {"count": removed})
        return HttpResponseRedirect(change_page(person.pk))

    def _page(
        self, request: HttpRequest, template: str, person: Person, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        site = self._owner.admin_site.each_context(request)
        shared = {**site, "opts": Person._meta, "original": person, "person": person, "title": title}
        return TemplateResponse(request, f"admin/recognition/person/{template}", {**shared, **context})


def _person(request: HttpRequest, person_id: int, permission: str) -> Person:
    if not actor_of(request).has_perm(permission):
        raise PermissionDenied
    return merged.standing(person_id)


def _with_freed(text: str, move: PersonMove) -> str:
    """Says too how many samples are searched again, because what spoke against them is void."""
    count = sum(judged["is_freed"] for judged in move.before["judged"])
    if not count:
        return text
    more = ngettext(
        "%(count)d sample that was set aside is used again.",
        "%(count)d samples that were set aside are used again.",
        count,
    )
    return f"{text} {more % {'count': count}}"


def _side(person: Person) -> dict[str, Any]:
    """One of both people as the page shows them."""
    samples = person.samples.order_by("status", "pk")
    return {
        "person": person,
        "samples": samples[:PICTURES_SHOWN],
        "more": max(samples.count() - PICTURES_SHOWN, 0),
        "active": samples.filter(status=FaceSample.Status.ACTIVE).count(),
        "groups": person.groups.all(),
    }


def _found(person: Person, query: str) -> list[Person]:
    if not query:
        return []
    named = Person.objects.filter(name__icontains=query) | Person.objects.filter(external_id=query)
    return list(named.filter(merged_into=None).exclude(pk=person.pk)[:FOUND_SHOWN])
