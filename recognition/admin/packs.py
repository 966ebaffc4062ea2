"""Model packs: to look at, to try out, and to switch to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import display

from recognition.admin import pack_switch_detail
from recognition.admin.base import ReadOnlyAdmin, actor_of, button
from recognition.admin.operating_points import operating_points
from recognition.models import Job, ModelPack
from recognition.selectors import packs
from recognition.services import jobs, measuring, pack_switch
from recognition.services.pack_rules import ThresholdsNotMeasured
from recognition.services.pack_switch import SwitchRefused
from recognition.services.policies import ChangeRefused

SWITCH = "recognition.switch_modelpack"


@admin.register(ModelPack)
class ModelPackAdmin(ReadOnlyAdmin):
    """Packs with their terms and measured thresholds, and what a switch to each would mean."""

    empty_text = gettext_lazy(
        "Packs find faces and compare them. Run faceweb models use opencv-zoo where the server runs."
    )
    change_form_outer_before_template = "admin/recognition/modelpack/before_form.html"
    list_display = ("name", "is_active", "licence", "commercial_use", "dimension", "short_digest")
    fields = (
        "name",
        "is_active",
        "licence",
        "terms",
        "commercial_use",
        "dimension",
        "digest",
        "location",
        "thresholds",
        "measured_on",
        "created_at",
    )
    readonly_fields = fields

    @display(description=gettext_lazy("digest"))
    def short_digest(self, pack: ModelPack) -> str:
        """Enough of the digest to tell packs apart."""
        return pack.digest[:12]

    @display(description=gettext_lazy("terms"))
    def terms(self, pack: ModelPack) -> str:
        """A link to the terms, where somebody gave one."""
        return (
            format_html('<a class="faceweb-link" href="{0}" rel="noreferrer">{0}</a>', pack.licence_url)
            if pack.licence_url
            else ""
        )

    @display(description=gettext_lazy("measured thresholds"))
    def thresholds(self, pack: ModelPack) -> str:
        """What each threshold means; without any nothing is decided."""
        if not pack.decides:
            return gettext("none: this pack shows similarities and decides nothing")
        return render_to_string("admin/recognition/modelpack/operating_points.html", {"points": operating_points(pack)})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The pack; above it, what was found out about a switch to it."""
        pack = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if pack is not None:
            context = {
                "trial": pack_switch_detail.trial(pack),
                "lacks_samples": packs.gallery_state(pack.pk).samples_without_template,
                "measuring": "" if pack.may_be_used else measuring.command(pack=pack),
                "title": pack.name,
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})  # type: ignore[no-any-return]

    def get_urls(self) -> list[URLPattern]:
        """What tries a pack out and switches to it beside the usual pages."""
        return [
            button(self, "try", SWITCH, self._try_out),
            button(self, "switch", SWITCH, self._switch),
            *super().get_urls(),
        ]

    def _try_out(self, request: HttpRequest, pack: ModelPack) -> HttpResponse:
        try:
            job = jobs.request(kind=Job.Kind.PACK_SWITCH, parameters={"pack": pack.pk}, actor=actor_of(request))
        except jobs.JobRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:recognition_modelpack_change", args=[pack.pk]))
        return HttpResponseRedirect(reverse("admin:recognition_job_change", args=[job.pk]))

    def _switch(self, request: HttpRequest, pack: ModelPack) -> HttpResponse:
        try:
            pack_switch.switch(
                pack=pack,
                compared=request.POST.get("compared", ""),
                actor=actor_of(request),
                despite_losses="despite_losses" in request.POST,
            )
        except (SwitchRefused, ChangeRefused, ThresholdsNotMeasured) as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            text = gettext("%(pack)s is in use now; recognition follows within seconds.") % {"pack": pack.name}
            self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:recognition_modelpack_change", args=[pack.pk]))
