"""Model packs, to look at; they are switched with `faceweb models use`."""

from __future__ import annotations

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import display

from recognition.admin.base import ReadOnlyAdmin
from recognition.admin.operating_points import operating_points
from recognition.models import ModelPack


@admin.register(ModelPack)
class ModelPackAdmin(ReadOnlyAdmin):
    """Packs with their terms and measured thresholds."""

    list_display = ("name", "is_active", "licence", "commercial_use", "dimension", "short_digest")
    fields = (
        "name",
        "is_active",
        "licence",
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

    @display(description=gettext_lazy("measured thresholds"))
    def thresholds(self, pack: ModelPack) -> str:
        """What each threshold means; without any nothing is decided."""
        if not pack.decides:
            return gettext("none: this pack shows similarities and decides nothing")
        return render_to_string("admin/recognition/modelpack/operating_points.html", {"points": operating_points(pack)})
