"""How long events are kept, what would go now, and holds on events."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin as DjangoModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display

from recognition.admin.base import actor_of, button
from recognition.models import AuditAction, AuditEntry, EventHold, RecognitionEvent, RetentionRule
from recognition.selectors import retention as read
from recognition.services import retention
from recognition.services.erasure_ledger import LedgerRefused

LATEST_REMOVALS = 10


@admin.register(RetentionRule)
class RetentionRuleAdmin(ModelAdmin):
    """The days of each class, and above them what they would remove now."""

    list_display = ("code", "event_days_text", "crop_days_text")
    fields = ("event_days", "crop_days")
    ordering = ("code",)
    list_before_template = "admin/recognition/retentionrule/before_list.html"
    actions: Any = None

    @display(description=gettext_lazy("events are kept"))
    def event_days_text(self, rule: RetentionRule) -> str:
        """In words."""
        return _days(rule.event_days, gettext("until somebody says otherwise"))

    @display(description=gettext_lazy("pictures are kept"))
    def crop_days_text(self, rule: RetentionRule) -> str:
        """In words."""
        return _days(rule.crop_days, gettext("as long as the event"))

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """There is one of each class."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """There is one of each class."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With what would go now, and what went."""
        entries = AuditEntry.objects.filter(action=AuditAction.RETENTION_APPLIED).order_by("-pk")[:LATEST_REMOVALS]
        labels = dict(RetentionRule._meta.get_field("code").flatchoices)
        context = {
            "due": read.report(now=timezone.now()) if self.has_view_permission(request) else (),
            "removals": [
                (entry, labels.get(entry.subject.partition(":")[2], entry.subject), entry.details) for entry in entries
            ],
        }
        return super().changelist_view(request, {**(extra_context or {}), **context})  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: RetentionRule, form: forms.ModelForm[Any], change: bool) -> None:
        """Stores the days through the service."""
        retention.change_rule(rule=obj, event_days=obj.event_days, crop_days=obj.crop_days, actor=actor_of(request))


def addresses(owner: DjangoModelAdmin[Any]) -> list[URLPattern]:
    """The addresses behind the buttons of holds on an event's page."""
    return [
        button(owner, "hold", "recognition.add_legalhold", _hold),
        button(owner, "lift-hold", "recognition.lift_legalhold", _lift),
    ]


def _hold(request: HttpRequest, event: RecognitionEvent) -> HttpResponse:
    try:
        retention.place_hold(event=event, reason=request.POST.get("reason", ""), actor=actor_of(request))
    except retention.RetentionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, gettext("The hold is placed: nothing of this event is deleted until it is lifted."))
    return _to_event(event)


def _lift(request: HttpRequest, event: RecognitionEvent) -> HttpResponse:
    number = request.POST.get("hold", "")
    hold = EventHold.objects.filter(event=event, pk=number).first() if number.isdecimal() else None
    try:
        if hold is None:
            raise retention.RetentionRefused(gettext("That hold was lifted already."))
        erased = retention.lift_hold(hold=hold, actor=actor_of(request), now=timezone.now())
    except (retention.RetentionRefused, LedgerRefused) as refused:
        messages.error(request, str(refused))
    else:
        done = sum(asked.certificate_id is not None for asked in erased)
        messages.success(request, gettext("The hold is lifted."))
        if done:
            text = ngettext("%(count)d erasure that waited is done.", "%(count)d erasures that waited are done.", done)
            messages.success(request, text % {"count": done})
    return _to_event(event)


def _to_event(event: RecognitionEvent) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:recognition_recognitionevent_change", args=[event.pk]))


def _days(days: int | None, otherwise: str) -> str:
    return otherwise if days is None else ngettext("%(days)d day", "%(days)d days", days) % {"days": days}
