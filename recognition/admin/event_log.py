"""The list of events: a page of our own, because the admin's own would count millions of rows each time."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from recognition.admin import log_form, streams
from recognition.admin.base import actor_of, require
from recognition.admin.log_form import LogForm
from recognition.models import RecognitionEvent, SavedFilter
from recognition.selectors import event_filters, event_log
from recognition.services import event_export, saved_filters
from recognition.services.event_export import ExportFormat

LIST = "admin:recognition_recognitionevent_changelist"
VIEW, EXPORT = "recognition.view_recognitionevent", "recognition.export_recognitionevent"

_CONTENT_TYPES = {ExportFormat.CSV: "text/csv", ExportFormat.JSON_LINES: "application/jsonl"}


@dataclasses.dataclass(frozen=True, slots=True)
class OfferedFilter:
    """A saved filter as the page offers it.

    Args:
        saved: the row.
        address: of the log with it.
        is_own: whether the user may delete it.
    """

    saved: SavedFilter
    address: str
    is_own: bool


def page(owner: ModelAdmin[RecognitionEvent], request: HttpRequest) -> HttpResponse:
    """The log, filtered as the address says."""
    user = actor_of(request)
    form = LogForm(request.GET, sees_verdicts=user.has_perm("recognition.view_verdict"))
    place = log_form.place_of(request.GET)
    query = form.query
    shown = event_log.page(form.wanted, user=user, place=place) if form.is_valid() else event_log.NOTHING
    events = shown.events
    context = {
        **owner.admin_site.each_context(request),
        "opts": owner.model._meta,
        "title": gettext("Recognition events"),
        "form": form,
        "filter": urlencode(query),
        "is_filtered": bool(query),
        "events": events,
        "newer": _address(query, after=log_form.edge(events[0]))
        if shown is not None and shown.has_newer and events
        else "",
        "older": _address(query, before=log_form.edge(events[-1])) if shown is not None and shown.has_older else "",
        "first": _address(query),
        "is_first": place is None,
        "people": [(person, _address({**query, "person": f"#{person.pk}"})) for person in form.people],
        "too_many_people": bool(form.is_valid() and _names_too_many(form)),
        "saved": _offered(request),
    }
    return TemplateResponse(request, "admin/recognition/recognitionevent/log.html", context)


def addresses(owner: ModelAdmin[RecognitionEvent]) -> list[URLPattern]:
    """To save a filter, to delete one, and to take away what one shows."""
    view = owner.admin_site.admin_view
    return [
        path("export/", view(require_POST(_export)), name="recognition_recognitionevent_export"),
        path("filters/", view(require_POST(_save)), name="recognition_recognitionevent_save_filter"),
        path(
            "filters/<int:filter_id>/delete/",
            view(require_POST(_delete)),
            name="recognition_recognitionevent_delete_filter",
        ),
    ]


def _save(request: HttpRequest) -> HttpResponse:
    user = actor_of(request)
    require(request, VIEW)
    form = LogForm(QueryDict(request.POST.get("filter", "")), sees_verdicts=user.has_perm("recognition.view_verdict"))
    query = form.query
    if not form.is_valid():
        messages.error(request, gettext("A filter that cannot be read is not saved. Correct it first."))
        return HttpResponseRedirect(_address(query))
    if form.wanted.person is not None:
        # By number: a filter that is kept must not keep the name of somebody who is erased.
        query["person"] = f"#{form.wanted.person.pk}"
    try:
        saved = saved_filters.save(
            owner=user, name=request.POST.get("name", ""), query=query, is_shared="is_shared" in request.POST
        )
    except saved_filters.FilterRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, gettext("The filter “%(name)s” is saved.") % {"name": saved.name})
    return HttpResponseRedirect(_address(form.query))


def _delete(request: HttpRequest, filter_id: int) -> HttpResponse:
    require(request, VIEW)
    saved = get_object_or_404(SavedFilter, pk=filter_id, owner=actor_of(request))
    saved_filters.delete(saved=saved, actor=actor_of(request))
    messages.success(request, gettext("The filter “%(name)s” is deleted.") % {"name": saved.name})
    return HttpResponseRedirect(reverse(LIST))


def _export(request: HttpRequest) -> HttpResponseBase:
    require(request, VIEW)
    require(request, EXPORT)
    user = actor_of(request)
    form = LogForm(QueryDict(request.POST.get("filter", "")), sees_verdicts=user.has_perm("recognition.view_verdict"))
    written = request.POST.get("format", "")
    if written not in set(ExportFormat) or not form.is_valid():
        messages.error(request, gettext("Nothing was exported: mend the filter, and choose CSV or JSON lines."))
        return HttpResponseRedirect(_address(form.query))
    pieces = event_export.export(wanted=form.wanted, form=ExportFormat(written), actor=user)
    content_type = f"{_CONTENT_TYPES[ExportFormat(written)]}; charset=utf-8"
    return streams.download(request, pieces, content_type=content_type, file_name=f"events.{written}")


def _address(query: dict[str, str], **place: str) -> str:
    asked = urlencode({**query, **place})
    return f"{reverse(LIST)}?{asked}" if asked else reverse(LIST)


def _offered(request: HttpRequest) -> list[OfferedFilter]:
    user = actor_of(request)
    rows = SavedFilter.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")
    return [OfferedFilter(row, _address(row.query), is_own=row.owner_id == user.pk) for row in rows]


def _names_too_many(form: LogForm) -> bool:
    text: Any = form.cleaned_data["q"]
    return bool(text) and len(event_filters.people_called(text)) == event_filters.MOST_PEOPLE
