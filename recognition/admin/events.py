"""Recognition events and the audit trail, to look at."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import display

from recognition import conf
from recognition.admin import event_detail, event_faces, event_log, quality_table, retention, review_item
from recognition.admin.base import ReadOnlyAdmin, actor_of, button
from recognition.models import AuditAction, AuditEntry, EventOverride, RecognitionEvent
from recognition.selectors import alerts
from recognition.selectors import retention as retention_read
from recognition.selectors import reviews as reviews_read
from recognition.services import anchors, archives, dispute_bundles, overrides

OVERRIDE = "recognition.add_eventoverride"
EXPORT = "recognition.export_recognitionevent"


@admin.register(RecognitionEvent)
class RecognitionEventAdmin(ReadOnlyAdmin):
    """What was decided, when, of whom, and by which numbers."""

    search_fields = ("person__name", "person__external_id", "claimed_id")
    fields = ("decision",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The log, page by page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return event_log.page(self, request)

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
                "fingerprint": archives.fingerprint(conf.signing_key().public_key()) if self._exports(request) else "",
                "holds": retention_read.standing_holds(event).select_related("placed_by"),
                "can_enrol_face": event_faces.may_enrol(request) and hasattr(event, "crop"),
                **self._said(request, event),
                "can_open_door": overrides.can_open_door(event=event, now=timezone.now()),
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})  # type: ignore[no-any-return]

    def get_urls(self) -> list[URLPattern]:
        """The override, verdicts, the enrolment of the face, and saved filters, beside the usual pages."""
        own = [
            button(self, "override", OVERRIDE, self._override),
            button(self, "bundle", EXPORT, self._bundle),
            button(self, "verdict", review_item.JUDGE, self._judge),
            *retention.addresses(self),
            event_faces.address(self),
            *event_log.addresses(self),
        ]
        return [*own, *super().get_urls()]

    def _exports(self, request: HttpRequest) -> bool:
        return actor_of(request).has_perm(EXPORT)

    def _bundle(self, request: HttpRequest, event: RecognitionEvent) -> HttpResponse:
        key = conf.signing_key()
        fingerprint = archives.fingerprint(key.public_key())
        try:
            content = dispute_bundles.make(
                events=[event],
                anchors=anchors.read_kept(path=conf.anchor_file(), trusted=[fingerprint]),
                key=key,
                actor=actor_of(request),
                now=timezone.now(),
            )
        except (dispute_bundles.BundleNotMade, anchors.AnchorRefused) as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:recognition_recognitionevent_change", args=[event.pk]))
        answer = HttpResponse(content, content_type="application/json", headers={"Cache-Control": "no-store"})
        answer["Content-Disposition"] = f'attachment; filename="event-{event.pk}.bundle.json"'
        return answer

    def _said(self, request: HttpRequest, event: RecognitionEvent) -> dict[str, Any]:
        user = actor_of(request)
        given = review_item.own_verdict(event, user)
        return {
            "verdicts": reviews_read.visible_verdicts(user).filter(event=event, superseded_by=None),
            "offered_verdicts": review_item.offered(event, given) if user.has_perm(review_item.JUDGE) else (),
            "given": given,
            "waiting_item": reviews_read.queue(user).filter(event=event).first(),
            "sample_to_set_aside": review_item.sample_to_set_aside(request, given),
        }

    def _judge(self, request: HttpRequest, event: RecognitionEvent) -> HttpResponse:
        if review_item.give(request, event, None) is not None:
            self.message_user(request, gettext("Your verdict is kept; the event stays as it was."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:recognition_recognitionevent_change", args=[event.pk]))

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


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed what."""

    empty_text = gettext_lazy("Who changed what stands here. Entries are written by themselves.")
    list_display = ("at", "action", "subject", "actor")
    list_filter = ("action", "at")
    list_select_related = ("actor",)
    search_fields = ("subject", "actor__username")
    fields = ("at", "action", "subject", "actor", "details_text")
    readonly_fields = fields

    @display(description=gettext_lazy("details"))
    def details_text(self, entry: AuditEntry) -> str:
        """Values before and after; of a verdict none, so that a second reviewer learns of no first one."""
        shown = {} if entry.action == AuditAction.VERDICT_GIVEN else entry.details
        text = json.dumps(shown, indent=2, ensure_ascii=False)
        return format_html('<pre class="faceweb-json">{}</pre>', text)
