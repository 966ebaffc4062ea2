"""Recognition events and the audit trail, to look at."""

from __future__ import annotations

import json

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import display

from recognition.admin.base import NOTHING, ReadOnlyAdmin, thumbnail
from recognition.models import AuditEntry, RecognitionEvent


@admin.register(RecognitionEvent)
class RecognitionEventAdmin(ReadOnlyAdmin):
    """What was decided, when, of whom, and by which numbers."""

    list_display = (
        "picture",
        "decided_at",
        "decision_label",
        "person",
        "similarity_text",
        "margin_text",
        "operator",
    )
    list_display_links = ("decided_at",)
    list_filter = ("decision", "decided_at", "policy")
    list_select_related = ("person", "operator", "crop")
    search_fields = ("person__name", "person__external_id")
    date_hierarchy = "decided_at"
    list_per_page = 50
    fields = (
        "pictures",
        "decision_label",
        "person",
        "similarity_text",
        "margin_text",
        "best_person",
        "runner_up",
        "thresholds_text",
        "votes_table",
        "reasons",
        "quality",
        "timings",
        "policy",
        "pack",
        "operator",
        "started_at",
        "decided_at",
        "transaction",
    )
    readonly_fields = fields

    @display(description=gettext_lazy("probe"))
    def picture(self, event: RecognitionEvent) -> str:
        """The probe."""
        return thumbnail("event-crop", _crop_number(event), alt=gettext("Face of the event"))

    @display(description=gettext_lazy("probe and closest sample"))
    def pictures(self, event: RecognitionEvent) -> str:
        """The probe beside the enrolled sample that it is most like."""
        probe = thumbnail("event-crop", _crop_number(event), alt=gettext("Face of the event"), side_px=192)
        sample = thumbnail("sample-image", event.best_sample_id, alt=gettext("Closest enrolled face"), side_px=192)
        return format_html('<div class="faceweb-pair">{}{}</div>', probe, sample)

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

    @display(description=gettext_lazy("thresholds"))
    def thresholds_text(self, event: RecognitionEvent) -> str:
        """The numbers in force when it was decided."""
        return ", ".join(f"{name}: {value:g}" for name, value in event.thresholds.items())

    @display(description=gettext_lazy("votes"))
    def votes_table(self, event: RecognitionEvent) -> str:
        """Each vote on a line."""
        lines = [
            f"{vote['at_ms']:>6} ms  {vote['decision']}  {_number(vote['similarity'])}  {_number(vote['margin'])}"
            for vote in event.votes
        ]
        return format_html('<pre class="faceweb-votes">{}</pre>', "\n".join(lines)) if lines else NOTHING


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
        return format_html('<pre class="faceweb-votes">{}</pre>', text)


def _crop_number(event: RecognitionEvent) -> int | None:
    return event.pk if hasattr(event, "crop") else None


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"
