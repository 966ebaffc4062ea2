"""The threshold policy: looking at versions, proposing the next one, and deciding about proposals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.defaultfilters import date as formatted
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from recognition.admin import error_rates, policy_detail, threshold_rows, thresholds, what_if
from recognition.admin.base import NOTHING, actor_of
from recognition.admin.operating_points import operating_points
from recognition.decision.policy import QualityGates
from recognition.models import Checkpoint, ModelPack, ThresholdPolicy
from recognition.selectors import packs
from recognition.selectors import thresholds as thresholds_read
from recognition.selectors.packs import NoActivePack
from recognition.services import policies

APPROVE = "recognition.approve_thresholdpolicy"

PIN_OF_CLAIMS = gettext_lazy(
    "Only claims are asked for a PIN: where a checkpoint identifies people (the modes “identify” and “both”), the face "
    "alone opens without one. A PIN protects against photos in the mode “verify” only."
)

MAY_BE_WANTED = ("identification_threshold", "verification_threshold", "margin")
"""Numbers that the address of a new version may name; where one is wrong, the form says so when it is sent."""

State = ThresholdPolicy.State

Decide = Callable[[ThresholdPolicy, HttpRequest], ThresholdPolicy]


class ThresholdPolicyForm(ModelForm):  # type: ignore[type-arg]  # generic only for type checkers
    """A proposal; the model's own rules judge it."""

    effective_from = forms.DateTimeField(
        label=gettext_lazy("In force from"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text=gettext_lazy("Empty: as soon as it is approved. In the time zone of this page, usually UTC."),
    )

    class Meta:
        model = ThresholdPolicy
        fields = ("checkpoint", "effective_from", *policies.CONTENT_FIELDS, "reason")
        widgets = {"reason": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "checkpoint" in self.fields:  # absent from a page that only shows a version
            self.fields["checkpoint"].empty_label = gettext("everywhere that has no policy of its own")  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        # Constraints between fields need the row's pack, which the form does not show.
        self.instance.pack_id = packs.active().id
        super()._post_clean()  # type: ignore[misc]


@admin.register(ThresholdPolicy)
class ThresholdPolicyAdmin(ModelAdmin):
    """Versions of the policy; "add" proposes the next one, made out of the one in force."""

    empty_text = gettext_lazy(
        "Versions of the policy stand here. The first is made of the measured thresholds of a pack."
    )
    form = ThresholdPolicyForm
    list_before_template = "admin/recognition/thresholdpolicy/before_list.html"
    change_form_outer_before_template = "admin/recognition/thresholdpolicy/before_form.html"
    list_display = ("version", "state_label", "scope", "pack", "created_by", "decided_by", "since", "retired_at")
    list_filter = ("state", "pack", "checkpoint")
    list_select_related = ("pack", "created_by", "decided_by", "checkpoint")
    fieldsets = (
        (gettext_lazy("Where and when"), {"fields": ("checkpoint", "effective_from")}),
        (
            gettext_lazy("Thresholds"),
            {"fields": ("identification_threshold", "verification_threshold", "margin", "strategy")},
        ),
        (
            gettext_lazy("Votes"),
            {"fields": ("votes_needed", "votes_of", "timeout_s", "reembed_interval_s")},
        ),
        (
            gettext_lazy("Claims"),
            {
                "fields": (
                    "requires_pin",
                    "attempts_before_delay",
                    "first_delay_s",
                    "longest_delay_s",
                    "attempts_before_stop",
                ),
                "description": PIN_OF_CLAIMS,
            },
        ),
        (
            gettext_lazy("What a face must have"),
            {"fields": tuple(QualityGates.__dataclass_fields__)},
        ),
        (gettext_lazy("Why"), {"fields": ("reason",)}),
    )

    @display(
        description=gettext_lazy("state"),
        ordering="state",
        label={
            State.PROPOSED.value: "warning",
            State.APPROVED.value: "info",
            State.ACTIVE.value: "success",
            State.REJECTED.value: "danger",
        },
    )
    def state_label(self, policy: ThresholdPolicy) -> tuple[str, str]:
        """Where the version stands."""
        return policy.state, policy.get_state_display()

    @display(description=gettext_lazy("applies to"), ordering="checkpoint")
    def scope(self, policy: ThresholdPolicy) -> str:
        """The checkpoint, or everywhere else."""
        return str(policy.checkpoint) if policy.checkpoint else gettext("everywhere else")

    @display(description=gettext_lazy("in force since"), ordering="activated_at")
    def since(self, policy: ThresholdPolicy) -> str:
        """When it came into force, or will."""
        if policy.activated_at is not None:
            return formatted(timezone.localtime(policy.activated_at), "DATETIME_FORMAT")
        if policy.effective_from is not None and policy.state in {State.PROPOSED, State.APPROVED}:
            moment = formatted(timezone.localtime(policy.effective_from), "DATETIME_FORMAT")
            return gettext("from %(moment)s") % {"moment": moment}
        return NOTHING

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

    def get_urls(self) -> list[URLPattern]:
        """The decisions about a version beside the usual pages."""
        decisions: dict[str, Decide] = {
            "approve": _approve,
            "reject": _reject,
            "return": _return_to,
            "follow": _follow_site,
        }
        return [
            *thresholds.addresses(self),
            what_if.address(self),
            *error_rates.addresses(self),
            *(
                path(
                    f"<int:policy_id>/{name}/",
                    self.admin_site.admin_view(self._decision_view(decide)),
                    name=f"recognition_thresholdpolicy_{name}",
                )
                for name, decide in decisions.items()
            ),
            *super().get_urls(),
        ]

    def _decision_view(self, decide: Decide) -> Callable[[HttpRequest, int], HttpResponse]:
        def view(request: HttpRequest, policy_id: int) -> HttpResponse:
            if not actor_of(request).has_perm(APPROVE):
                raise PermissionDenied
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            policy = ThresholdPolicy.objects.filter(pk=policy_id).first()
            if policy is None:
                raise Http404
            try:
                policy = decide(policy, request)
            except policies.ChangeRefused as refused:
                self.message_user(request, str(refused), messages.ERROR)
            else:
                self.message_user(request, _what_happens_now(policy), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:recognition_thresholdpolicy_change", args=[policy.pk]))

        return view

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The versions; says how many wait, which the gallery has outgrown, and where the active pack has none."""
        pack = ModelPack.objects.filter(is_active=True).first()
        outgrown = thresholds_read.outgrown(pack) if pack and pack.decides else ()
        context = {
            "pack_without_policy": pack.name if pack and not pack.decides else "",
            "outgrown": [threshold_rows.warning(held) for held in outgrown],
            "waiting": ThresholdPolicy.objects.filter(state=State.PROPOSED).count(),
        }
        return super().changelist_view(request, {**(extra_context or {}), **context})  # type: ignore[no-any-return]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A version and what it changes, or the form of the next one, beside what was measured with its pack."""
        version = self.get_object(request, object_id) if object_id else None
        pack = version.pack if version else ModelPack.objects.filter(is_active=True).first()
        context: dict[str, Any] = {"show_save_and_add_another": False, "show_save_and_continue": False}
        if pack and pack.decides:
            context |= {"measured_pack": pack, "measured_points": operating_points(pack)}
        if version:
            context["detail"] = policy_detail.detail(version, user_id=actor_of(request).pk)
        return super().changeform_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**(extra_context or {}), **context}
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Starts from the numbers that hold now, with those and at the checkpoint that the address may name."""
        number = request.GET.get("checkpoint", "")
        checkpoint = Checkpoint.objects.filter(pk=number).first() if number.isdecimal() else None
        current = policies.holding(pack=ModelPack.objects.get(pk=packs.active().id), checkpoint=checkpoint)
        numbers = {name: getattr(current, name) for name in policies.CONTENT_FIELDS} if current else {}
        wanted = {name: request.GET[name] for name in MAY_BE_WANTED if name in request.GET}
        return {**numbers, **wanted, "checkpoint": checkpoint}

    def save_model(self, request: HttpRequest, obj: ThresholdPolicy, form: Any, change: bool) -> None:
        """Proposes the version through the service, which numbers it."""
        created = policies.propose(
            pack=obj.pack,
            values={name: form.cleaned_data[name] for name in policies.CONTENT_FIELDS},
            reason=form.cleaned_data["reason"],
            actor=actor_of(request),
            checkpoint=form.cleaned_data["checkpoint"],
            effective_from=form.cleaned_data["effective_from"],
        )
        obj.pk = created.pk
        obj.refresh_from_db()

    def response_add(
        self, request: HttpRequest, obj: ThresholdPolicy, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Says what happens now, in place of "was added successfully", where the proposal is approved."""
        self.message_user(request, _what_happens_now(obj), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:recognition_thresholdpolicy_change", args=[obj.pk]))


def _approve(policy: ThresholdPolicy, request: HttpRequest) -> ThresholdPolicy:
    return policies.approve(
        policy=policy, actor=actor_of(request), now=timezone.now(), compared_with=_version_seen(request)
    )


def _reject(policy: ThresholdPolicy, request: HttpRequest) -> ThresholdPolicy:
    return policies.reject(policy=policy, actor=actor_of(request), now=timezone.now())


def _return_to(policy: ThresholdPolicy, request: HttpRequest) -> ThresholdPolicy:
    return policies.return_to(policy=policy, actor=actor_of(request), now=timezone.now())


def _follow_site(policy: ThresholdPolicy, request: HttpRequest) -> ThresholdPolicy:
    return policies.follow_site(
        policy=policy, actor=actor_of(request), now=timezone.now(), compared_with=_version_seen(request)
    )


def _version_seen(request: HttpRequest) -> int | None:
    seen = request.POST.get("compared_with", "")
    return int(seen) if seen.isdecimal() else None


def _what_happens_now(policy: ThresholdPolicy) -> str:
    numbers: dict[str, Any] = {"version": policy.version}
    match policy.state:
        case State.PROPOSED:
            text = gettext("Version %(version)d is proposed. It decides nothing until it is approved.")
        case State.APPROVED:
            text = gettext("Version %(version)d is approved and comes into force at its time: %(moment)s.")
            numbers["moment"] = formatted(policy.effective_from, "DATETIME_FORMAT")
        case State.REJECTED:
            text = gettext("Version %(version)d is rejected. What was in force before stays in force.")
        case State.FORMER:
            text = gettext("%(checkpoint)s follows the site's policy again; open pages follow within seconds.")
            numbers["checkpoint"] = policy.checkpoint
        case _:
            text = gettext("Version %(version)d decides from now on; open live pages follow within seconds.")
    return text % numbers
