"""Recognition events and the audit trail, to look at."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import display

from recognition.admin import event_detail, event_faces, quality_table
from recognition.admin.base import NOTHING, ReadOnlyAdmin, actor_of, button, thumbnail
from recognition.models import AuditEntry, EventOverride, RecognitionEvent
from recognition.selectors import alerts
from recognition.services import overrides

OVERRIDE = "recognition.add_eventoverride"


@admin.register(RecognitionEvent)
class RecognitionEventAdmin(ReadOnlyAdmin):
    """What was decided, when, of whom, and by which numbers."""

    list_display = (
        "picture",
        "decided_at",
        "decision_label",
        "person",
        "checkpoint",
        "similarity_text",
        "margin_text",
        "operator",
    )
    list_display_links = ("decided_at",)
    list_filter = ("decision", "kind", "checkpoint", "decided_at", "policy")
    list_select_related = ("person", "operator", "crop", "checkpoint")
    search_fields = ("person__name", "person__external_id", "claimed_id")
    fields = ("decision",)
    date_hierarchy = "decided_at"
    list_per_page = 50

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The event as `templates/admin/recognition/recognitionevent/change_form.html` shows it."""
        event = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if event is not None:
            context = {
                "deny_list_entry": alerts.deny_list_entry(event),
                "detail": event_detail.detail(event),
                "quality": quality_table.tables(event.quality) if event.quality else None,
                "title": str(event),
                "outcomes": EventOverride.Outcome.choices,
                "can_enrol_face": event_faces.may_enrol(request) and hasattr(event, "crop"),
                "can_open_door": overrides.can_open_door(event=event, now=timezone.now()),
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})  # type: ignore[no-any-return]

    def get_urls(self) -> list[URLPattern]:
        """The override and the enrolment of the face beside the usual pages."""
        own = [button(self, "override", OVERRIDE, self._override), event_faces.address(self)]
        return [*own, *super().get_urls()]

    def _override(self, request: HttpRequest, event: RecognitionEvent) -> HttpResponse:
        try:
            overrides.override(
                event=event,
                outcome=EventOverride.Outcome(request.POST.get("outcome", "")),
                reason=request.POST.get("reason", ""),
                actor=actor_of(request),
                opens_door="opens_door" in request.POST,
                now=timezone.now(),
            )
        except ValueError:
            self.message_user(request, gettext("Choose what was done."), messages.ERROR)
        except overrides.OverrideRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            self.message_user(request, gettext("The override is kept; the decision stays as it was."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:recognition_recognitionevent_change", args=[event.pk]))

    @display(description=gettext_lazy("probe"))
    def picture(self, event: RecognitionEvent) -> str:
        """The probe."""
        return thumbnail("event-crop", _crop_number(event), alt=gettext("Face of the event"))

    @display(
        description=gettext_lazy("decision"),
        ordering="decision",
        label={
            "accept": "success",
            "reject_no_match": "warning",
            "reject_ambiguous": "warning",
            "reject_not_allowed": "danger",
            "reject_pad": "danger",
        },
    )
    def decision_label(self, event: RecognitionEvent) -> tuple[str, str]:
        """The decision in words, coloured by its code."""
        return event.decision, event.get_decision_display()

    @display(description=gettext_lazy("similarity"), ordering="similarity")
    def similarity_text(self, event: RecognitionEvent) -> str:
        """Cosine similarity, never a percentage."""
        return _number(event.similarity)

    @display(description=gettext_lazy("margin"), ordering="margin")
    def margin_text(self, event: RecognitionEvent) -> str:
        """Gap to the next person."""
        return _number(event.margin)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed what."""

    list_display = ("at", "action", "subject", "actor")
    list_filter = ("action", "at")
    list_select_related = ("actor",)
    search_fields = ("subject", "actor__username")
    fields = ("at", "action", "subject", "actor", "details_text")
    readonly_fields = fields

    @display(description=gettext_lazy("details"))
    def details_text(self, entry: AuditEntry) -> str:
        """Values before and after."""
        text = json.dumps(entry.details, indent=2, ensure_ascii=False)
        return format_html('<pre class="faceweb-json">{}</pre>', text)


def _crop_number(event: RecognitionEvent) -> int | None:
    return event.pk if hasattr(event, "crop") else None


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"
