"""A legal basis for many people at once, from their list: one form was signed by a whole class of visitors."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.decorators import action

from recognition.admin.base import actor_of
from recognition.admin.legal import BasisForm
from recognition.models import LegalBasis, Person
from recognition.services import legal


@action(description=gettext_lazy("Record a legal basis"), permissions=["record_basis"])
def record_basis(owner: Any, request: HttpRequest, queryset: QuerySet[Person]) -> TemplateResponse | None:
    """Asks for the basis, then records it for each of the people."""
    now = timezone.now()
    is_answer = "record" in request.POST
    form = BasisForm(request.POST if is_answer else None, initial={"kind": LegalBasis.Kind.CONSENT, "given_at": now})
    if is_answer and form.is_valid():
        try:
            count = legal.record_basis_of_all(people=queryset, basis=form.instance, actor=actor_of(request), now=now)
        except legal.LegalRefused as refused:
            form.add_error(None, str(refused))
        else:
            text = ngettext(
                "The legal basis is recorded for %(count)d person.",
                "The legal basis is recorded for %(count)d people.",
                count,
            )
            messages.success(request, text % {"count": count})
            return None
    context = {
        **owner.admin_site.each_context(request),
        "title": gettext("Record a legal basis"),
        "opts": owner.opts,
        "form": form,
        "people": queryset.count(),
        # As they were sent: of a whole list these are the ones of its page, and `select_across` stands for all.
        "chosen": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, "admin/recognition/person/basis.html", context)
