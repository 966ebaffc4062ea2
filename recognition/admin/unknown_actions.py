"""What can be done with a group of unknown faces: each a POST that leads back to where its result is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from recognition import wording
from recognition.admin import enrolment_pages
from recognition.admin.base import actor_of, button, require
from recognition.models import UnknownCluster, UnknownMove
from recognition.selectors import event_faces
from recognition.services import unknown_moves, unknown_people
from recognition.services.erasure_ledger import LedgerRefused
from recognition.services.holds import DataHeld
from recognition.services.unknown_moves import UnknownRefused
from recognition.services.unknown_people import Assigned

LIST = "admin:recognition_unknowncluster_changelist"
CHANGE = "recognition.change_unknowncluster"
ASSIGN = (CHANGE, "recognition.view_person", "recognition.add_facesample")
"""Permissions to say that it is somebody who is enrolled."""

CREATE = (*ASSIGN, "recognition.add_person")
"""Permissions to make a person of it."""

_REFUSALS = (UnknownRefused, DataHeld, LedgerRefused, *enrolment_pages.NOT_NOW)

Act = Callable[[HttpRequest, UnknownCluster], HttpResponse]


def addresses(owner: ModelAdmin[Any]) -> list[URLPattern]:
    """The addresses behind the buttons."""
    acts: dict[str, Act] = {"assign": _assign, "create": _create, "split": _split, "ignore": _ignore, "undo": _undo}
    return [
        path("merge/", owner.admin_site.admin_view(_merge), name="recognition_unknowncluster_merge"),
        *(button(owner, name, CHANGE, _told(act)) for name, act in acts.items()),
    ]


def page_of(number: int) -> str:
    """The address of a group's page."""
    return reverse("admin:recognition_unknowncluster_change", args=[number])


def _told(act: Act) -> Act:
    """Leads back to the page with the reason where nothing was changed."""

    def told(request: HttpRequest, cluster: UnknownCluster) -> HttpResponse:
        try:
            return act(request, cluster)
        except _REFUSALS as refused:
            messages.error(request, _reason(refused))
            return HttpResponseRedirect(page_of(cluster.pk))

    return told


def _reason(refused: Exception) -> str:
    faults = refused.faults if isinstance(refused, UnknownRefused) else ()
    return " ".join([str(refused), *(wording.fault_sentence(fault) for fault in faults)])


def _assign(request: HttpRequest, cluster: UnknownCluster) -> HttpResponse:
    for permission in ASSIGN:
        require(request, permission)
    person = event_faces.person_numbered(request.POST.get("person", ""))
    if person is None:
        raise UnknownRefused(gettext("Choose one of the people, or type a new name."))
    assigned = unknown_people.assign(cluster=cluster, person=person, actor=actor_of(request))
    said = gettext("This is %(name)s.") % {"name": person.name}
    messages.add_message(request, _level(assigned), f"{said} {_enrolled(assigned)}")
    return HttpResponseRedirect(page_of(cluster.pk))


def _create(request: HttpRequest, cluster: UnknownCluster) -> HttpResponse:
    for permission in CREATE:
        require(request, permission)
    name = request.POST.get("name", "")
    made = unknown_people.make_person(cluster=cluster, name=name, actor=actor_of(request))
    said = gettext("%(name)s is a person now.") % {"name": made.person.name}
    messages.add_message(request, _level(made), f"{said} {_enrolled(made)}")
    return HttpResponseRedirect(page_of(cluster.pk))


def _split(request: HttpRequest, cluster: UnknownCluster) -> HttpResponse:
    faces = [int(number) for number in request.POST.getlist("faces") if number.isdecimal() and len(number) < 19]
    new = unknown_moves.split(cluster=cluster, faces=faces, actor=actor_of(request))
    messages.success(request, gettext("These faces are an unknown person of their own now."))
    return HttpResponseRedirect(page_of(new.pk))


def _ignore(request: HttpRequest, cluster: UnknownCluster) -> HttpResponse:
    unknown_moves.ignore(cluster=cluster, actor=actor_of(request))
    messages.success(request, gettext("It is not a person of interest; faces that come later are put here too."))
    return HttpResponseRedirect(page_of(cluster.pk))


def _undo(request: HttpRequest, cluster: UnknownCluster) -> HttpResponse:
    number = request.POST.get("move", "")
    moves = UnknownMove.objects.filter(clusters__contains=[cluster.pk])
    move = get_object_or_404(moves, pk=int(number) if number.isdecimal() and len(number) < 19 else 0)
    if move.kind in (UnknownMove.Kind.ASSIGN, UnknownMove.Kind.CREATE):
        require(request, "recognition.delete_facesample")
    undone = unknown_moves.undo(move=move, actor=actor_of(request), now=timezone.now())
    words = [gettext("It is undone.")]
    if undone.person is not None:
        names = {"name": undone.person.name}
        words.append(gettext("%(name)s stays: something else is known of them by now.") % names)
    messages.success(request, " ".join(words))
    return HttpResponseRedirect(page_of(move.clusters[0]))


def _merge(request: HttpRequest) -> HttpResponse:
    require(request, CHANGE)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    numbers = [int(number) for number in request.POST.getlist("clusters") if number.isdecimal() and len(number) < 19]
    try:
        kept = unknown_moves.merge(
            clusters=list(UnknownCluster.objects.filter(pk__in=numbers)), actor=actor_of(request)
        )
    except UnknownRefused as refused:
        messages.error(request, str(refused))
        return HttpResponseRedirect(reverse(LIST))
    messages.success(request, gettext("They are one now."))
    return HttpResponseRedirect(page_of(kept.pk))


def _level(assigned: Assigned) -> int:
    return messages.SUCCESS if assigned.enrolled else messages.WARNING


def _enrolled(assigned: Assigned) -> str:
    """What became of the faces, in sentences."""
    words = [
        ngettext("%(count)d face is enrolled.", "%(count)d faces are enrolled.", assigned.enrolled)
        % {"count": assigned.enrolled}
    ]
    if assigned.set_aside:
        aside = ngettext("%(count)d is set aside.", "%(count)d are set aside.", assigned.set_aside)
        words.append(aside % {"count": assigned.set_aside})
    if not assigned.enrolled:
        words += [wording.fault_sentence(fault) for fault in assigned.faults]
    return " ".join(words)
