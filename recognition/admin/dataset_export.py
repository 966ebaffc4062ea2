"""The pictures of the people who were chosen in the list, as a labelled archive."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.decorators import action

from recognition.admin import enrolment_pages
from recognition.admin.base import actor_of
from recognition.models import Person
from recognition.services import datasets

MOST_PICTURES = 200
"""Each is looked at while somebody waits, some tenths of a second on a busy machine; more are for the command line."""


@action(description=gettext_lazy("Export as a labelled folder"), permissions=["export_dataset"])
def export_dataset(owner: Any, request: HttpRequest, queryset: QuerySet[Person]) -> HttpResponse:
    """Says what the archive would hold and what is missing, then gives it."""
    chosen = datasets.choice(people=queryset)
    may_have = 0 < chosen.pictures <= MOST_PICTURES
    if may_have and "download" in request.POST:
        try:
            return _archive(request, queryset)
        except enrolment_pages.NOT_NOW as error:
            messages.error(request, str(error))
    context = {
        **owner.admin_site.each_context(request),
        "title": gettext("Export as a labelled folder"),
        "opts": owner.opts,
        "choice": chosen,
        "may_have": may_have,
        "most": MOST_PICTURES,
        # As they were sent: of a whole list these are the ones of its page, and `select_across` stands for all.
        "chosen": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, "admin/recognition/person/export.html", context)


def _archive(request: HttpRequest, people: QuerySet[Person]) -> HttpResponse:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        done = datasets.export(people=people, put=datasets.into_archive(archive), actor=actor_of(request))
    if done.not_aligned:
        text = ngettext(
            "%(count)d picture has no aligned crop, because its face was not found again.",
            "%(count)d pictures have no aligned crop, because their faces were not found again.",
            len(done.not_aligned),
        )
        messages.warning(request, text % {"count": len(done.not_aligned)})
    return HttpResponse(
        content.getvalue(),
        content_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="people.zip"', "Cache-Control": "no-store"},
    )
