"""How long events are kept, and what keeps one longer."""

from __future__ import annotations

from django.conf import settings
from django.core import validators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recognition.decision.retention import RetentionClass
from recognition.models.events import RecognitionEvent

CLASS_LABELS = {
    RetentionClass.ACCEPTED: _("Accepted"),
    RetentionClass.REFUSED: _("Refused"),
    RetentionClass.UNKNOWN: _("Unknown"),
    RetentionClass.NO_DECISION: _("No decision"),
}

MOST_DAYS = 36_500
_DAYS = [validators.MinValueValidator(1), validators.MaxValueValidator(MOST_DAYS)]


class RetentionRule(models.Model):
    """How long events of one class are kept; a migration makes one of each, which keeps everything."""

    code = models.CharField(
        _("class"),
        primary_key=True,
        max_length=20,
        choices=[(code.value, text) for code, text in CLASS_LABELS.items()],
        editable=False,
    )
    event_days = models.PositiveIntegerField(
        _("days for events"),
        null=True,
        blank=True,
        validators=_DAYS,
        help_text=_("With all that belongs to them. Empty: they are kept until somebody says otherwise."),
    )
    crop_days = models.PositiveIntegerField(
        _("days for pictures"),
        null=True,
        blank=True,
        validators=_DAYS,
        help_text=_("Of the face that was seen; the event stays. Empty: as long as the event."),
    )
    removed_until = models.DateTimeField(
        _("removed until"),
        null=True,
        editable=False,
        help_text=_("When the newest event that was removed had been decided. Empty: none ever was removed."),
    )

    class Meta:
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention rules")
        default_permissions = ("change", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(event_days=None) | Q(event_days__range=(1, MOST_DAYS)), name="events_are_kept_for_some_days"
            ),
            models.CheckConstraint(
                condition=Q(crop_days=None) | Q(crop_days__range=(1, MOST_DAYS)), name="crops_are_kept_for_some_days"
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_code_display())


class EventHold(models.Model):
    """A duty to keep an event, such as a dispute about it: until it is lifted nothing of it is deleted."""

    event = models.ForeignKey(RecognitionEvent, models.PROTECT, related_name="holds", verbose_name=_("event"))
    reason = models.TextField(_("reason"))
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    placed_at = models.DateTimeField(_("since"), auto_now_add=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("lifted by")
    )
    lifted_at = models.DateTimeField(_("lifted"), null=True)

    class Meta:
        verbose_name = _("hold on an event")
        verbose_name_plural = _("holds on events")
        default_permissions = ()  # those of legal holds
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"#{self.pk}"
