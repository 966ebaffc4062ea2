"""Checkpoints with their kiosks and webhook calls, and the groups that may pass."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from recognition.admin.base import ReadOnlyAdmin, actor_of, button
from recognition.admin.checkboxes import WithCheckboxes
from recognition.models import ActionDelivery, Checkpoint, KioskDevice, PersonGroup
from recognition.selectors import checkpoints as checkpoints_read
from recognition.selectors import packs
from recognition.services import checkpoints, kiosks

CALLS_SHOWN = 5
PAIR = "recognition.pair_kiosk"
CHANGE = "recognition.change_checkpoint"

PHOTO_ATTACK = gettext_lazy(
    "Attacks by photo are not detected yet: until they are, a photo of somebody who may pass opens this door."
)
"""Above the webhook and not in its help text, which those who may only look do not get."""


class CheckpointForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only for type checkers
    """A checkpoint; the model's own rules judge it."""

    action_url = forms.URLField(
        label=gettext_lazy("Webhook"),
        required=False,
        max_length=500,
        assume_scheme="http",
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy(
            "Called when somebody is accepted, to open the door; see docs/howto/checkpoints.md. "
            "Empty: nothing is called."
        ),
    )

    class Meta:
        model = Checkpoint
        fields = (
            "name",
            "slug",
            "place",
            "mode",
            "is_active",
            "admits",
            "allowed_groups",
            "attempt_limit",
            "action_url",
            "action_deadline_s",
        )

    def clean_action_url(self) -> str:
        """Only what a webhook can be."""
        url = str(self.cleaned_data["action_url"])
        if url and urlsplit(url).scheme not in {"http", "https"}:
            raise ValidationError(gettext("Give an address that begins with http:// or https://."))
        if "@" in urlsplit(url).netloc:
            raise ValidationError(
                gettext(
                    "Name and password in an address are not sent. Leave them out: the receiver knows a call by its "
                    "signature."
                )
            )
        return url

    def clean_attempt_limit(self) -> int | None:
        """Below the stop of the policy: that is approved by another person, and a limit at or beyond it undoes it."""
        limit: int | None = self.cleaned_data["attempt_limit"]
        with contextlib.suppress(packs.NoActivePack):
            policy = packs.active(self.instance.pk).policy
            if limit is not None and policy is not None and limit >= policy.attempts_before_stop:
                text = gettext("Staff are asked after %(stop)d failed claims, by the policy: give a lower number.")
                raise ValidationError(text % {"stop": policy.attempts_before_stop})
        return limit


@admin.register(Checkpoint)
class CheckpointAdmin(WithCheckboxes, ModelAdmin):
    """Doors, desks and kiosks."""

    empty_text = gettext_lazy(
        "A checkpoint is a place where people are decided about, such as a door. Add it here, then pair a "
        "kiosk with it."
    )
    form = CheckpointForm
    change_form_outer_before_template = "admin/recognition/checkpoint/before_form.html"
    list_display = ("name", "place", "mode", "admitted", "is_active", "kiosk_count")
    list_filter = ("mode", "is_active")
    search_fields = ("name", "slug", "place")
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (None, {"fields": ("name", "slug", "place", "mode", "is_active")}),
        (gettext_lazy("Who may pass"), {"fields": ("admits", "allowed_groups", "attempt_limit")}),
        (
            gettext_lazy("What opens the door"),
            {"fields": ("action_url", "action_deadline_s"), "description": PHOTO_ATTACK},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Checkpoint]:
        """Checkpoints with the groups that they admit."""
        shown: QuerySet[Checkpoint] = super().get_queryset(request)
        return shown.prefetch_related("allowed_groups")

    @display(description=gettext_lazy("admits"), ordering="admits")
    def admitted(self, checkpoint: Checkpoint) -> str:
        """Who may pass."""
        if checkpoint.admits == Checkpoint.Admits.EVERYONE:
            return checkpoint.get_admits_display()
        return ", ".join(group.name for group in checkpoint.allowed_groups.all()) or gettext(
            "nobody: no group is chosen"
        )

    @display(description=gettext_lazy("kiosks"))
    def kiosk_count(self, checkpoint: Checkpoint) -> int:
        """How many devices may show its page."""
        return checkpoint.devices.filter(revoked_at=None).count()

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Checkpoint | None = None
    ) -> dict[str, tuple[str, ...]]:
        """The address is made of the name once; changing it would leave kiosks at the old one."""
        return {} if obj else dict(self.prepopulated_fields)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Events name their checkpoint, so it is taken out of use instead."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """The buttons of a checkpoint's page beside the usual pages."""
        return [
            button(self, "pair", PAIR, self._pair),
            button(self, "remove-kiosk", PAIR, self._remove_kiosk),
            button(self, "new-key", CHANGE, self._make_new_key),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form below what belongs to the checkpoint."""
        checkpoint = self.get_object(request, object_id) if object_id else None
        context: dict[str, Any] = {}
        if checkpoint is not None:
            user = actor_of(request)
            context = {
                "kiosks": checkpoint.devices.filter(revoked_at=None),
                "calls": checkpoint.deliveries.all()[:CALLS_SHOWN],
                "admits_nobody": checkpoints_read.admitted_groups(checkpoint) == frozenset(),
                "face_needs_no_pin": _face_needs_no_pin(checkpoint),
                "webhook_key": checkpoint.action_secret if user.has_perm(CHANGE) else "",
            }
        return super().changeform_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**(extra_context or {}), **context}
        )

    def save_model(self, request: HttpRequest, obj: Checkpoint, form: Any, change: bool) -> None:
        """Stores the checkpoint through the service, which keeps who did it."""
        checkpoints.save_checkpoint(
            checkpoint=obj,
            changed=form.changed_data,
            groups=form.cleaned_data["allowed_groups"],
            actor=actor_of(request),
        )
        # Where the page opens again, it says so itself.
        if "_continue" not in request.POST and checkpoints_read.admitted_groups(obj) == frozenset():
            text = gettext(
                "Nobody may pass %(name)s: it admits groups only, and none is chosen. Open it, and choose the groups, "
                "or let it admit everybody who is enrolled."
            )
            self.message_user(request, text % {"name": obj.name}, messages.WARNING)

    def _pair(self, request: HttpRequest, checkpoint: Checkpoint) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Pair a kiosk with %(name)s") % {"name": checkpoint.name},
            "opts": self.model._meta,
            "checkpoint": checkpoint,
            "code": kiosks.make_code(checkpoint=checkpoint, actor=actor_of(request), now=timezone.now()),
            "until": timezone.now() + kiosks.CODE_LIFETIME,
            "address": request.build_absolute_uri(reverse("kiosk")),
        }
        return TemplateResponse(request, "admin/recognition/checkpoint/pair.html", context)

    def _remove_kiosk(self, request: HttpRequest, checkpoint: Checkpoint) -> HttpResponse:
        number = request.POST.get("device", "")
        if not number.isdecimal():
            raise PermissionDenied
        device = get_object_or_404(KioskDevice, pk=number, checkpoint=checkpoint)
        kiosks.remove(device=device, actor=actor_of(request), now=timezone.now())
        text = gettext("%(label)s is removed and shows this checkpoint no more.") % {"label": device.label}
        return self._back(request, checkpoint, text)

    def _make_new_key(self, request: HttpRequest, checkpoint: Checkpoint) -> HttpResponse:
        checkpoints.make_new_key(checkpoint=checkpoint, actor=actor_of(request))
        text = gettext("There is a new key. The door opens again when whatever is called knows it.")
        return self._back(request, checkpoint, text)

    def _back(self, request: HttpRequest, checkpoint: Checkpoint, text: str) -> HttpResponse:
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:recognition_checkpoint_change", args=[checkpoint.pk]))


def _face_needs_no_pin(checkpoint: Checkpoint) -> bool:
    """Whether the policy asks for a PIN that nobody has to enter here."""
    found = checkpoints_read.by_slug(checkpoint.slug)
    return found is not None and found.requires_pin and checkpoint.mode != Checkpoint.Mode.VERIFY


@admin.register(PersonGroup)
class PersonGroupAdmin(ModelAdmin):
    """Groups of people, by which checkpoints admit."""

    empty_text = gettext_lazy(
        "Groups say who may pass where. Add one here, put people into it on their own pages, and choose it "
        "at a checkpoint."
    )
    list_display = ("name", "people_count", "where")
    search_fields = ("name",)
    fields = ("name",)

    @display(description=gettext_lazy("people"))
    def people_count(self, group: PersonGroup) -> int:
        """How many belong to it."""
        return group.people.count()

    @display(description=gettext_lazy("may pass"))
    def where(self, group: PersonGroup) -> str:
        """The checkpoints that admit it by name."""
        return ", ".join(group.checkpoints.values_list("name", flat=True)) or gettext("nowhere by name")

    def save_model(self, request: HttpRequest, obj: PersonGroup, form: Any, change: bool) -> None:
        """Stores the group through the service."""
        checkpoints.save_group(group=obj, actor=actor_of(request))

    def delete_model(self, request: HttpRequest, obj: PersonGroup) -> None:
        """Removes the group through the service."""
        checkpoints.delete_group(group=obj, actor=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PersonGroup]) -> None:
        """Removes several groups through the service."""
        for group in queryset:
            checkpoints.delete_group(group=group, actor=actor_of(request))


@admin.register(ActionDelivery)
class ActionDeliveryAdmin(ReadOnlyAdmin):
    """Webhook calls with every try."""

    empty_text = gettext_lazy("A checkpoint with a webhook calls it to open the door. Every call stands here.")
    list_display = ("created_at", "checkpoint", "event", "state_label", "tries")
    list_filter = ("state", "checkpoint", "created_at")
    list_select_related = ("checkpoint", "event")
    fields = ("id", "checkpoint", "event", "override", "state", "created_at", "expires_at", "every_try")
    readonly_fields = fields

    @display(description=gettext_lazy("state"), ordering="state", label={"delivered": "success", "expired": "danger"})
    def state_label(self, delivery: ActionDelivery) -> tuple[str, str]:
        """Where the call stands."""
        return delivery.state, delivery.get_state_display()

    @display(description=gettext_lazy("tries"))
    def tries(self, delivery: ActionDelivery) -> int:
        """How often it was called."""
        return len(delivery.attempts)

    @display(description=gettext_lazy("every try"))
    def every_try(self, delivery: ActionDelivery) -> str:
        """Time, answer and how long it took, a line each."""
        return "\n".join(
            f"{attempt['at']}: {attempt['status'] or attempt['error']}, {attempt['ms']} ms"
            for attempt in delivery.attempts
        )
