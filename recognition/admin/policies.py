"""The threshold policy: looking at versions, and making a new one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from recognition.admin.base import actor_of
from recognition.models import ThresholdPolicy
from recognition.selectors import packs
from recognition.selectors.packs import NoActivePack
from recognition.services import policies


class ThresholdPolicyForm(ModelForm):  # type: ignore[type-arg]  # generic only for type checkers
    """A new version; the model's own rules judge it."""

    class Meta:
        model = ThresholdPolicy
        fields = (*policies.numeric_fields(), "reason")

    def _post_clean(self) -> None:
        # Constraints between fields need the row's pack, which the form does not show.
        self.instance.pack_id = packs.active().id
        super()._post_clean()  # type: ignore[misc]


@admin.register(ThresholdPolicy)
class ThresholdPolicyAdmin(ModelAdmin):
    """Versions of the policy; "add" makes the next one out of the active one."""

    form = ThresholdPolicyForm
    list_display = (
        "version",
        "state",
        "pack",
        "identification_threshold",
        "verification_threshold",
        "margin",
        "created_by",
        "created_at",
    )
    list_filter = ("pack",)
    list_select_related = ("pack", "created_by")
    fieldsets = (
        (
            gettext_lazy("Thresholds"),
            {"fields": ("identification_threshold", "verification_threshold", "margin")},
        ),
        (
            gettext_lazy("Votes"),
            {"fields": (("votes_needed", "votes_of"), ("timeout_s", "reembed_interval_s"))},
        ),
        (
            gettext_lazy("What a face must have"),
            {
                "fields": (
                    ("min_face_size_px", "min_visible_fraction"),
                    ("min_detection_score", "min_sharpness"),
                    ("min_luminance", "max_luminance"),
                    ("max_yaw_degrees", "max_pitch_degrees"),
                )
            },
        ),
        (gettext_lazy("Why"), {"fields": ("reason",)}),
    )

    @display(description=gettext_lazy("state"), label={"active": "success", "former": "info"})
    def state(self, policy: ThresholdPolicy) -> tuple[str, Any]:
        """Whether this version decides now."""
        if policy.is_active:
            return "active", gettext_lazy("active")
        return "former", gettext_lazy("former")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A pack without measured thresholds has no policy to change."""
        if not super().has_add_permission(request):
            return False
        try:
            return packs.active().policy is not None
        except NoActivePack:
            return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A version is never changed: events were decided by it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A version is never removed."""
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Starts from the numbers that hold now."""
        current = ThresholdPolicy.objects.filter(pack_id=packs.active().id, is_active=True).first()
        return {name: getattr(current, name) for name in policies.numeric_fields()} if current else {}

    def save_model(self, request: HttpRequest, obj: ThresholdPolicy, form: Any, change: bool) -> None:
        """Makes the version through the service, which numbers and activates it."""
        created = policies.create_version(
            pack=obj.pack,
            values={name: form.cleaned_data[name] for name in policies.numeric_fields()},
            reason=form.cleaned_data["reason"],
            actor=actor_of(request),
        )
        obj.pk = created.pk
        obj.refresh_from_db()
