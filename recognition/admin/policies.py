"""The threshold policy: looking at versions, and making a new one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from recognition.admin.base import actor_of
from recognition.admin.operating_points import operating_points
from recognition.decision.policy import QualityGates
from recognition.models import ModelPack, ThresholdPolicy
from recognition.selectors import packs
from recognition.selectors.packs import NoActivePack
from recognition.services import policies


class ThresholdPolicyForm(ModelForm):  # type: ignore[type-arg]  # generic only for type checkers
    """A new version; the model's own rules judge it."""

    class Meta:
        model = ThresholdPolicy
        fields = (*policies.CONTENT_FIELDS, "reason")
        widgets = {"reason": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def _post_clean(self) -> None:
        # Constraints between fields need the row's pack, which the form does not show.
        self.instance.pack_id = packs.active().id
        super()._post_clean()  # type: ignore[misc]


@admin.register(ThresholdPolicy)
class ThresholdPolicyAdmin(ModelAdmin):
    """Versions of the policy; "add" makes the next one out of the active one."""

    form = ThresholdPolicyForm
    list_before_template = "admin/recognition/thresholdpolicy/no_policy.html"
    change_form_outer_before_template = "admin/recognition/thresholdpolicy/measured.html"
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
            {"fields": ("votes_needed", "votes_of", "timeout_s", "reembed_interval_s")},
        ),
        (
            gettext_lazy("What a face must have"),
            {"fields": tuple(QualityGates.__dataclass_fields__)},
        ),
        (gettext_lazy("Why"), {"fields": ("reason",)}),
    )

    @display(description=gettext_lazy("state"), label={"active": "success", "former": "info"})
    def state(self, policy: ThresholdPolicy) -> tuple[str, Any]:
        """Whether this version decides now."""
        if policy.state == ThresholdPolicy.State.ACTIVE:
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

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The versions; says so where the active pack has none."""
        pack = ModelPack.objects.filter(is_active=True).first()
        context = {"pack_without_policy": pack.name if pack and not pack.decides else ""}
        return super().changelist_view(request, {**(extra_context or {}), **context})  # type: ignore[no-any-return]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A version, or the form of the next one, beside what was measured with its pack."""
        version = self.get_object(request, object_id) if object_id else None
        pack = version.pack if version else ModelPack.objects.filter(is_active=True).first()
        context: dict[str, Any] = {"show_save_and_add_another": False, "show_save_and_continue": False}
        if pack and pack.decides:
            context |= {"measured_pack": pack, "measured_points": operating_points(pack)}
        return super().changeform_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**(extra_context or {}), **context}
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Starts from the numbers that hold now."""
        current = policies.in_force(ModelPack.objects.get(pk=packs.active().id), None)
        return {name: getattr(current, name) for name in policies.CONTENT_FIELDS} if current else {}

    def save_model(self, request: HttpRequest, obj: ThresholdPolicy, form: Any, change: bool) -> None:
        """Makes the version through the service, which numbers and activates it."""
        created = policies.create_version(
            pack=obj.pack,
            values={name: form.cleaned_data[name] for name in policies.CONTENT_FIELDS},
            reason=form.cleaned_data["reason"],
            actor=actor_of(request),
        )
        obj.pk = created.pk
        obj.refresh_from_db()

    def response_add(
        self, request: HttpRequest, obj: ThresholdPolicy, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Says what happens now, in place of "was added successfully"."""
        text = gettext("Version %(version)d decides from now on; open live pages follow within seconds.")
        self.message_user(request, text % {"version": obj.version}, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:recognition_thresholdpolicy_changelist"))
