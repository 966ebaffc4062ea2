"""What staff at the doors look after: alerts, lockouts, and the deny list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, F, OuterRef, QuerySet, Value
from django.http import HttpRequest
from django.template.defaultfilters import date as formatted
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.decorators import action, display

from recognition.admin.base import NOTHING, ReadOnlyAdmin, actor_of, thumbnail
from recognition.decision.lockout import Lockout
from recognition.decision.verdict import TransactionReason
from recognition.models import Alert, ClaimLockout, DenyListEntry, ModelPack
from recognition.selectors import alerts as alerts_read
from recognition.selectors import people
from recognition.services import alerts, lockouts


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """People of the deny list who came; those that nobody has seen come first."""

    empty_text = gettext_lazy("An alert is raised when somebody of the deny list comes, or may have come.")
    list_display = (
        "picture",
        "created_at",
        "state_label",
        "who",
        "reason",
        "where",
        "acknowledged_by",
        "acknowledged_at",
    )
    list_display_links = None
    list_select_related = (
        "event__best_person__deny_list_entry",
        "event__runner_up__deny_list_entry",
        "event__checkpoint",
        "event__crop",
        "acknowledged_by",
    )
    list_filter = (("acknowledged_at", admin.EmptyFieldListFilter), "event__checkpoint")
    ordering = (F("acknowledged_at").desc(nulls_first=True), "-created_at")
    fields = ("who", "reason", "where", "created_at", "acknowledged_by", "acknowledged_at")
    readonly_fields = fields
    actions = ("acknowledge",)

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        """Whether the user may say that somebody has seen it."""
        return actor_of(request).has_perm("recognition.acknowledge_alert")

    @display(description=gettext_lazy("probe"))
    def picture(self, alert: Alert) -> str:
        """The face that was seen."""
        number = alert.event_id if hasattr(alert.event, "crop") else None
        return thumbnail("event-crop", number, alt=gettext("Face of the event"))

    @display(description=gettext_lazy("state"), label={"open": "danger", "seen": "success"})
    def state_label(self, alert: Alert) -> tuple[str, str]:
        """Whether anybody has seen it."""
        return ("open", gettext("open")) if alert.acknowledged_at is None else ("seen", gettext("seen"))

    @display(description=gettext_lazy("event"))
    def who(self, alert: Alert) -> str:
        """The person, as a way to the event."""
        name = alert.event.best_person or gettext("somebody who was erased since")
        address = reverse("admin:recognition_recognitionevent_change", args=[alert.event_id])
        return format_html('<a class="faceweb-link" href="{}">{}</a>', address, name)

    @display(description=gettext_lazy("why on the deny list"))
    def reason(self, alert: Alert) -> str:
        """What whoever put them on the list wants colleagues to know; who sees alerts need not see the list."""
        entry = alerts_read.deny_list_entry(alert.event)
        return entry.reason if entry is not None else gettext("not on it any more")

    @display(description=gettext_lazy("where"), ordering="event__checkpoint")
    def where(self, alert: Alert) -> str:
        """The checkpoint, or what it was instead of one."""
        return str(alert.event.place)

    @action(description=gettext_lazy("Acknowledge: I have seen it"), permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Notes that the user has seen the chosen alerts."""
        for alert in queryset:
            alerts.acknowledge(alert=alert, actor=actor_of(request), now=timezone.now())
        count = len(queryset)
        text = ngettext("%(count)d alert is acknowledged.", "%(count)d alerts are acknowledged.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


@admin.register(ClaimLockout)
class ClaimLockoutAdmin(ReadOnlyAdmin):
    """People whose claims failed at a checkpoint, and whether they are locked out there."""

    empty_text = gettext_lazy("Failed claims of a person stand here until one succeeds or staff lift the lockout.")
    list_display = ("person", "checkpoint", "state_label", "failures", "changed_at")
    list_filter = ("is_stopped", "checkpoint")
    list_select_related = ("person", "checkpoint")
    ordering = ("-is_stopped", F("locked_until").desc(nulls_last=True), "-pk")
    search_fields = ("person__name", "person__external_id")
    fields = ("person", "checkpoint", "failures", "locked_until", "is_stopped", "changed_at")
    readonly_fields = fields
    actions = ("lift",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClaimLockout]:
        """Only those against whom something is held."""
        shown: QuerySet[ClaimLockout] = super().get_queryset(request)
        return shown.filter(failures__gt=0)

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Whether the user may lift lockouts."""
        return actor_of(request).has_perm("recognition.lift_lockout")

    @display(description=gettext_lazy("state"), label={"stopped": "danger", "locked": "warning"})
    def state_label(self, row: ClaimLockout) -> tuple[str, str]:
        """In words, as of now."""
        match Lockout(row.failures, row.locked_until, row.is_stopped).state_at(timezone.now()):
            case TransactionReason.LOCKED_BY_STOP:
                return "stopped", gettext("locked out until staff lift it")
            case TransactionReason.LOCKED_UNTIL if row.locked_until is not None:
                moment = formatted(timezone.localtime(row.locked_until), "DATETIME_FORMAT")
                return "locked", gettext("locked out until %(moment)s") % {"moment": moment}
            case _:
                return "free", gettext("not locked out")

    @action(description=gettext_lazy("Lift: claims are taken again"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[ClaimLockout]) -> None:
        """Lifts the chosen lockouts."""
        rows = list(queryset)
        for lockout in rows:
            lockouts.lift(lockout=lockout, actor=actor_of(request))
        text = ngettext("%(count)d lockout is lifted.", "%(count)d lockouts are lifted.", len(rows))
        self.message_user(request, text % {"count": len(rows)}, messages.SUCCESS)


@admin.register(DenyListEntry)
class DenyListEntryAdmin(ReadOnlyAdmin):
    """Who is refused everywhere; people are put on it and taken off it on their own page."""

    empty_text = gettext_lazy("Whoever stands here is refused everywhere. People are put on it on their own pages.")
    list_display = ("person_link", "is_recognised", "reason", "created_by", "created_at")
    list_display_links = None
    list_select_related = ("person", "created_by")
    search_fields = ("person__name", "person__external_id", "reason")
    fields = ("person_link", "reason", "created_by", "created_at")
    readonly_fields = fields

    @display(description=gettext_lazy("person"), ordering="person__name")
    def person_link(self, entry: DenyListEntry) -> Any:
        """The person, as a way to their page."""
        address = reverse("admin:recognition_person_change", args=[entry.person_id])
        return format_html('<a class="faceweb-link" href="{}">{}</a>', address, entry.person or NOTHING)

    @display(description=gettext_lazy("can be recognised"), boolean=True)
    def is_recognised(self, entry: DenyListEntry) -> bool:
        """Whether a search sees them; without that the entry refuses nobody."""
        return not entry.is_in_vain  # type: ignore[attr-defined]  # of the query

    def get_queryset(self, request: HttpRequest) -> QuerySet[DenyListEntry]:
        """With whether each entry does anything."""
        pack = ModelPack.objects.filter(is_active=True).first()
        in_vain = Exists(people.denied_in_vain(pack.pk).filter(pk=OuterRef("pk"))) if pack else Value(value=True)
        entries: QuerySet[DenyListEntry] = super().get_queryset(request).annotate(is_in_vain=in_vain)
        return entries
