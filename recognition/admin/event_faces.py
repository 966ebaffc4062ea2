"""The page on which the face of an event is enrolled."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from recognition import wording
from recognition.admin import doubts, enrolment_pages
from recognition.admin.base import actor_of
from recognition.models import Person, RecognitionEvent
from recognition.selectors import event_faces as selectors
from recognition.services import event_faces

NEEDED = ("recognition.view_recognitionevent", "recognition.view_person", "recognition.add_facesample")
"""Permissions to enrol the face as somebody who is there."""

NEEDED_FOR_NEW = "recognition.add_person"
"""What it needs beside those to enrol somebody new."""


class NewPersonForm(forms.Form):
    """The name of somebody who is not enrolled yet."""

    name = forms.CharField(max_length=Person._meta.get_field("name").max_length)

    def clean_name(self) -> str:
        """The name with single spaces, as everywhere else."""
        return " ".join(self.cleaned_data["name"].split())


def address(owner: ModelAdmin[Any]) -> URLPattern:
    """The address of the page."""
    return path(
        "<int:event_id>/enrol/",
        owner.admin_site.admin_view(never_cache(_Page(owner).show)),
        name="recognition_recognitionevent_enrol",
    )


def may_enrol(request: HttpRequest) -> bool:
    """Whether the user may enrol the face of an event as somebody who is there."""
    return actor_of(request).has_perms(NEEDED)


class _Page:
    def __init__(self, owner: ModelAdmin[Any]) -> None:
        self._owner = owner

    def show(self, request: HttpRequest, event_id: int) -> HttpResponse:
        """Asks who it is, and enrols the face."""
        if not may_enrol(request):
            raise PermissionDenied
        event = get_object_or_404(RecognitionEvent.objects.select_related("crop", "best_person"), pk=event_id)
        query = request.GET.get("q", "").strip()
        try:
            done = self._enrolled(request, event) if request.method == "POST" else None
            found = event_faces.faults(event=event)
        except enrolment_pages.NOT_NOW as error:
            messages.error(request, str(error))
            return _back(event)
        if done is not None:
            return done
        context = {
            **self._owner.admin_site.each_context(request),
            "opts": RecognitionEvent._meta,
            "title": gettext("Who is this?"),
            "event": event,
            "reasons": [wording.fault_sentence(fault) for fault in found],
            "may_add": actor_of(request).has_perm(NEEDED_FOR_NEW),
            "query": query,
            "people": selectors.people_called(query) if query else selectors.people_to_propose(event),
        }
        return TemplateResponse(request, "admin/recognition/recognitionevent/enrol.html", context)

    def _enrolled(self, request: HttpRequest, event: RecognitionEvent) -> HttpResponse | None:
        """The answer to a choice; None where the page is to be shown again."""
        actor = actor_of(request)
        if "name" in request.POST:
            if not actor.has_perm(NEEDED_FOR_NEW):
                raise PermissionDenied
            form = NewPersonForm(request.POST)
            if not form.is_valid():
                messages.error(request, " ".join(str(error) for error in form.errors["name"]))
                return None
            person, result = event_faces.enrol_as_new_person(event=event, name=form.cleaned_data["name"], actor=actor)
        else:
            chosen = selectors.person_numbered(request.POST.get("person", ""))
            if chosen is None:
                messages.error(request, gettext("Choose one of the people, or type a new name."))
                return None
            person, result = chosen, event_faces.enrol(event=event, person=chosen, actor=actor)
        if not result.is_stored:
            messages.error(request, " ".join(wording.fault_sentence(fault) for fault in result.faults))
            return None
        if result.doubts:
            found = doubts.shown(person, result.doubts, request)
            messages.warning(request, " ".join([gettext("The face is set aside."), *(each.sentence for each in found)]))
            return HttpResponseRedirect(reverse("admin:recognition_facesample_change", args=[result.sample_id]))
        messages.success(request, gettext("The face is enrolled as %(name)s.") % {"name": person.name})
        return HttpResponseRedirect(reverse("admin:recognition_person_change", args=[person.pk]))


def _back(event: RecognitionEvent) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:recognition_recognitionevent_change", args=[event.pk]))
