"""The samples of all people, with what was measured of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from recognition.admin import doubts, quality_table
from recognition.admin.base import NOTHING, actor_of, back, button, thumbnail
from recognition.models import FaceSample
from recognition.services import people
from recognition.services.erasure_ledger import LedgerRefused
from recognition.services.holds import DataHeld


@admin.register(FaceSample)
class FaceSampleAdmin(ModelAdmin):
    """Samples of all people."""

    empty_text = gettext_lazy("Samples are what people are recognised by. Open a person, and add photos.")
    list_display = ("picture", "person", "status", "unified_quality", "face_size", "source", "created_by", "created_at")
    list_display_links = ("picture",)
    change_form_outer_before_template = "admin/recognition/facesample/before_form.html"
    list_filter = ("status", doubts.DoubtFilter, "source")
    list_select_related = ("person", "created_by")
    search_fields = ("person__name", "person__external_id")
    fields = (
        "large_picture",
        "person",
        "status",
        "source",
        "event",
        "measurements",
        "image_sha256",
        "created_by",
        "created_at",
    )
    readonly_fields = fields
    actions = ("set_aside", "search_again")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Samples come from photos, not from a form."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """The answers to doubts beside the usual pages."""
        return [
            button(self, "use-anyway", "recognition.change_facesample", doubts.use_anyway),
            button(self, "set-aside", "recognition.change_facesample", doubts.set_aside),
            button(self, "tell-apart", "recognition.change_facesample", doubts.tell_apart),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The measurements below what speaks against the sample."""
        sample = self.get_object(request, object_id) if object_id else None
        found = doubts.shown(sample.person, doubts.of_sample(sample), request) if sample else ()
        # Every field is read-only: there is nothing to save.
        context = {"doubts": found, "show_save": False, "show_save_and_continue": False}
        return super().changeform_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**(extra_context or {}), **context}
        )

    @display(description=gettext_lazy("face"))
    def picture(self, sample: FaceSample) -> str:
        """The sample's picture."""
        return thumbnail("sample-image", sample.pk, alt=gettext("Enrolled face"))

    @display(description=gettext_lazy("face"))
    def large_picture(self, sample: FaceSample) -> str:
        """The sample's picture at its own size."""
        return thumbnail("sample-image", sample.pk, alt=gettext("Enrolled face"), side_px=192)

    @display(description=gettext_lazy("face size"))
    def face_size(self, sample: FaceSample) -> str:
        """Shorter side of the face."""
        return f"{sample.quality.get('face_size_px', 0):.0f} px"

    @display(description=gettext_lazy("quality"))
    def unified_quality(self, sample: FaceSample) -> str:
        """The unified quality score; a dash for a sample of before there was one."""
        return str(sample.quality.get("scores", {}).get("UnifiedQualityScore", NOTHING))

    @display(description=gettext_lazy("quality"))
    def measurements(self, sample: FaceSample) -> SafeString:
        """Scores and measurements as tables."""
        return quality_table.tables(sample.quality)

    @action(description=gettext_lazy("Set aside: search them no longer"), permissions=["change"])
    def set_aside(self, request: HttpRequest, queryset: QuerySet[FaceSample]) -> None:
        """Takes samples out of the search."""
        self._set_status(request, queryset, FaceSample.Status.SET_ASIDE)

    @action(description=gettext_lazy("Search them again"), permissions=["change"])
    def search_again(self, request: HttpRequest, queryset: QuerySet[FaceSample]) -> None:
        """Takes samples back into the search."""
        self._set_status(request, queryset, FaceSample.Status.ACTIVE)

    def delete_model(self, request: HttpRequest, obj: FaceSample) -> None:
        """Removes the sample through the service."""
        people.delete_sample(sample=obj, actor=actor_of(request))

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[FaceSample]) -> None:
        """Removes several samples through the service, all or none."""
        for sample in queryset:
            people.delete_sample(sample=sample, actor=actor_of(request))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Removes a sample, or says why it stays."""
        try:
            return super().delete_view(request, object_id, extra_context)  # type: ignore[no-any-return]
        except (DataHeld, LedgerRefused) as refused:
            messages.error(request, str(refused))
            return back(request, reverse("admin:recognition_facesample_changelist"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list; what an action cannot delete is told above it."""
        try:
            return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]
        except (DataHeld, LedgerRefused) as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(request.get_full_path())

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Back to the page from which the sample was deleted."""
        self.message_user(request, gettext("The sample is deleted."), messages.SUCCESS)
        return back(request, reverse("admin:recognition_facesample_changelist"))

    def _set_status(self, request: HttpRequest, samples: QuerySet[FaceSample], status: FaceSample.Status) -> None:
        for sample in samples:
            people.set_sample_status(sample=sample, status=status, actor=actor_of(request))
        count = len(samples)
        text = ngettext("%(count)d sample is now %(status)s.", "%(count)d samples are now %(status)s.", count)
        self.message_user(request, text % {"count": count, "status": status.label}, messages.SUCCESS)
