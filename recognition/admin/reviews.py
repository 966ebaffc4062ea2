"""Reviews: what was drawn, how far it is, how well those who judged the same events agree, and drawing anew."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import never_cache

from recognition.admin import review_item
from recognition.admin.base import MomentInput, ReadOnlyAdmin, actor_of, require
from recognition.models import ReviewBatch
from recognition.models.reviews import STRATUM_LABELS
from recognition.selectors import reviews as reviews_read
from recognition.services import reviews
from recognition.services.reviews import LARGEST_BATCH, Design

LIST = "admin:recognition_reviewbatch_changelist"
DRAW, JUDGE = "recognition.add_reviewbatch", "recognition.add_verdict"

_LAST = dt.timedelta(days=30)


class DrawForm(forms.Form):
    """What is to be drawn."""

    since = forms.DateTimeField(label=gettext_lazy("Decided from"), widget=MomentInput)
    until = forms.DateTimeField(label=gettext_lazy("Decided before"), widget=MomentInput)
    accepts = forms.IntegerField(
        label=gettext_lazy("Accepts, drawn at random"), min_value=0, max_value=LARGEST_BATCH, initial=100
    )
    refusals = forms.IntegerField(
        label=gettext_lazy("Refusals, drawn at random"), min_value=0, max_value=LARGEST_BATCH, initial=100
    )
    width = forms.FloatField(
        label=gettext_lazy("All within this distance of the threshold"),
        min_value=0.0,
        max_value=1.0,
        initial=0.03,
        help_text=gettext_lazy("Of the similarity from the threshold that decided."),
    )
    second_share = forms.FloatField(
        label=gettext_lazy("Share that a second person judges too"),
        min_value=0.0,
        max_value=1.0,
        initial=0.2,
        help_text=gettext_lazy("From 0 to 1. They do not see the first verdict, nor that there is one."),
    )

    def __init__(self, data: Any = None) -> None:
        """Begins with the last days."""
        now = timezone.localtime().replace(second=0, microsecond=0)
        super().__init__(data, initial={"since": now - _LAST, "until": now})
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "faceweb-input"
            if isinstance(field, forms.FloatField):
                field.widget.attrs["step"] = "any"
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_help"

    def clean(self) -> dict[str, Any]:
        """The time has to end after it begins, and to be over."""
        values = self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if since and until and since >= until:
            self.add_error("until", gettext("The time ends before it begins: choose a later moment."))
        elif until and until > timezone.now():
            self.add_error("until", gettext("The time is not over yet: choose a moment that is past."))
        return values


@admin.register(ReviewBatch)
class ReviewBatchAdmin(ReadOnlyAdmin):
    """What was drawn for review."""

    fields = ("drawn_at",)

    def get_urls(self) -> list[URLPattern]:
        """Drawing, and the pages on which events are judged, beside the usual ones."""
        view = self.admin_site.admin_view
        return [
            path("draw/", view(self._draw), name="recognition_reviewbatch_draw"),
            path("<int:batch_id>/next/", view(never_cache(self._next)), name="recognition_reviewbatch_next"),
            *review_item.addresses(self),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The reviews, with how far the user is with each."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._list(request, DrawForm())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One review."""
        batch = self.get_object(request, object_id)
        if batch is None or request.method == "POST" or not self.has_view_permission(request, batch):
            # Says which of these it is.
            return super().change_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]
        user = actor_of(request)
        may_judge = user.has_perm(JUDGE)
        progress = reviews_read.progress(batch, user)
        # How far others are would tell a second reviewer that there is a first verdict.
        is_open = may_judge and bool(progress.left)
        context = {
            **self.admin_site.each_context(request),
            "opts": ReviewBatch._meta,
            "original": batch,
            "title": gettext("Review %(number)d") % {"number": batch.pk},
            "batch": batch,
            "may_judge": may_judge,
            "progress": progress,
            "is_open": is_open,
            "remains": reviews_read.remains(batch),
            "strata": [] if is_open else [(STRATUM_LABELS[row.stratum], row) for row in reviews_read.strata(batch)],
            "agreement": None if is_open else reviews_read.agreement_of(batch),
            "disputed": [] if is_open else reviews_read.disputed(batch),
        }
        return TemplateResponse(request, "admin/recognition/reviewbatch/batch.html", context)

    def _list(self, request: HttpRequest, form: DrawForm) -> HttpResponse:
        user = actor_of(request)
        may_judge = user.has_perm(JUDGE)
        batches = list(ReviewBatch.objects.select_related("drawn_by")[:50])
        progress = reviews_read.progress_of_each(batches, user)
        context = {
            **self.admin_site.each_context(request),
            "opts": ReviewBatch._meta,
            "title": gettext("Reviews"),
            "batches": [(batch, progress[batch.pk]) for batch in batches],
            "may_judge": may_judge,
            "may_draw": user.has_perm(DRAW),
            "form": form,
        }
        return TemplateResponse(request, "admin/recognition/reviewbatch/list.html", context)

    def _draw(self, request: HttpRequest) -> HttpResponse:
        require(request, DRAW)
        form = DrawForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                batch = reviews.draw(design=Design(**form.cleaned_data), actor=actor_of(request), now=timezone.now())
            except reviews.DrawRefused as refused:
                messages.error(request, str(refused))
            else:
                return HttpResponseRedirect(reverse("admin:recognition_reviewbatch_change", args=[batch.pk]))
        return self._list(request, form)

    def _next(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        """To what waits for the user; to the review where nothing does."""
        require(request, JUDGE)
        batch = get_object_or_404(ReviewBatch, pk=batch_id)
        item = reviews_read.queue(actor_of(request), batch=batch).first()
        if item is None:
            return HttpResponseRedirect(reverse("admin:recognition_reviewbatch_change", args=[batch.pk]))
        return HttpResponseRedirect(reverse("admin:recognition_reviewbatch_item", args=[batch.pk, item.position]))
