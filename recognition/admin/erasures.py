"""The queue of erasures, and the certificates of those that were done."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import display

from recognition import wording
from recognition.admin.base import NOTHING, ReadOnlyAdmin
from recognition.models import ErasureCertificate, ErasureRequest
from recognition.selectors import legal as legal_read
from recognition.services import erasure_certificates


@admin.register(ErasureRequest)
class ErasureRequestAdmin(ReadOnlyAdmin):
    """Erasures: what waits, and for which hold; and what was done."""

    empty_text = gettext_lazy(
        "Whoever deletes a person asks for an erasure. It stands here while it waits for a legal hold, and "
        "when it is done."
    )
    list_display = ("requested_at", "state_label", "who", "why_it_waits", "reason", "requested_by", "certificate_link")
    list_filter = ("state", "reason")
    list_select_related = ("person", "requested_by", "certificate")
    fields = ("requested_at", "state", "who", "why_it_waits", "reason", "requested_by", "certificate_link")
    readonly_fields = fields
    ordering = ("-state", "-pk")

    @display(description=gettext_lazy("state"), label={"waiting_for_hold": "warning", "done": "success"})
    def state_label(self, asked: ErasureRequest) -> tuple[str, str]:
        """In words."""
        return asked.state, asked.get_state_display()

    @display(description=gettext_lazy("person"))
    def who(self, asked: ErasureRequest) -> str:
        """Whoever still is there, as a way to their page."""
        if asked.person is None:
            return gettext("erased")
        address = reverse("admin:recognition_person_change", args=[asked.person_id])
        return format_html('<a class="faceweb-link" href="{}">{}</a>', address, asked.person)

    @display(description=gettext_lazy("waits because of"))
    def why_it_waits(self, asked: ErasureRequest) -> str:
        """The reasons of the holds."""
        if asked.person is None:
            return NOTHING
        rows = legal_read.rows_of(asked.person)
        reasons = [
            *legal_read.standing_holds(rows).values_list("reason", flat=True),
            *legal_read.standing_event_holds(rows).values_list("reason", flat=True),
        ]
        return "; ".join(reasons) or NOTHING

    @display(description=gettext_lazy("certificate"))
    def certificate_link(self, asked: ErasureRequest) -> str:
        """As a way to it."""
        if asked.certificate_id is None:
            return NOTHING
        address = reverse("admin:recognition_erasurecertificate_change", args=[asked.certificate_id])
        return format_html('<a class="faceweb-link" href="{}">{}</a>', address, asked.certificate_id)


@admin.register(ErasureCertificate)
class ErasureCertificateAdmin(ReadOnlyAdmin):
    """What was deleted of whom was erased, to look at and to hand out."""

    empty_text = gettext_lazy("An erasure that is done makes a certificate: what was deleted, without name or picture.")
    change_form_outer_before_template = "admin/recognition/erasurecertificate/before_form.html"
    list_display = ("id", "made_at", "reason", "made_by")
    list_filter = ("reason", "made_at")
    list_select_related = ("made_by",)
    fields = ("id", "made_at", "reason", "made_by", "contents_text", "signature")
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """The files beside the usual pages."""
        view, start = self.admin_site.admin_view, "<int:certificate_id>"
        return [
            path(f"{start}/json/", view(self.json_view), name="recognition_erasurecertificate_json"),
            path(f"{start}/pdf/", view(self.pdf_view), name="recognition_erasurecertificate_pdf"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The contents below what they say in words."""
        certificate = self.get_object(request, object_id) if object_id else None
        rows = wording.deleted_rows(certificate.contents["deleted"]) if certificate is not None else []
        return super().changeform_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**(extra_context or {}), "deleted": rows}
        )

    def json_view(self, request: HttpRequest, certificate_id: int) -> HttpResponse:
        """The certificate as a file that a program reads."""
        certificate = self._certificate(request, certificate_id)
        response = JsonResponse(erasure_certificates.document(certificate), json_dumps_params={"indent": 2})
        return _as_file(response, certificate, "json")

    def pdf_view(self, request: HttpRequest, certificate_id: int) -> HttpResponse:
        """The certificate as a file that people read."""
        from recognition.admin import certificate_pdf  # its library is large, and few ask for the file

        certificate = self._certificate(request, certificate_id)
        response = HttpResponse(certificate_pdf.pdf(certificate), content_type="application/pdf")
        return _as_file(response, certificate, "pdf")

    def _certificate(self, request: HttpRequest, number: int) -> ErasureCertificate:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(ErasureCertificate, pk=number)

    @display(description=gettext_lazy("contents"))
    def contents_text(self, certificate: ErasureCertificate) -> str:
        """Counts and digests."""
        text = json.dumps(certificate.contents, indent=2)
        return format_html('<pre class="faceweb-json">{}</pre>', text)


def _as_file(response: HttpResponse, certificate: ErasureCertificate, ending: str) -> HttpResponse:
    response["Content-Disposition"] = f'attachment; filename="erasure-{certificate.pk}.{ending}"'
    response["Cache-Control"] = "no-store"
    return response
