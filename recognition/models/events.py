"""What was decided: one row a transaction.

The database lets a row be removed, and links be emptied by erasing what they point to; it refuses every other
change.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recognition.decision.verdict import Decision, TransactionReason
from recognition.models.checkpoints import Checkpoint, KioskDevice
from recognition.models.packs import ModelPack
from recognition.models.people import FaceSample, Person
from recognition.models.policies import ThresholdPolicy
from recognition.models.searching import reason_codes, words

DECISION_LABELS = {
    Decision.ACCEPT: _("Accepted"),
    Decision.REJECT_NO_MATCH: _("Not recognised"),
    Decision.REJECT_NOT_ALLOWED: _("Not allowed"),
    Decision.REJECT_AMBIGUOUS: _("Too close between two people"),
    Decision.REJECT_PAD: _("Presentation attack"),
    Decision.NO_DECISION_QUALITY: _("No decision: no usable view of the face"),
    Decision.NO_DECISION_MULTIPLE_FACES: _("No decision: several faces"),
    Decision.NO_DECISION_TIMEOUT: _("No decision: time ran out"),
    Decision.LOCKED_OUT: _("Locked out"),
    Decision.ERROR: _("Error"),
}


_FILTERED_BY = ("decision", "kind", "checkpoint", "policy", "person", "best_person", "claimed_person", "similarity")
_ALSO_FILTERED_BY = {
    "decision": ("kind", "checkpoint", "policy", "similarity"),
    "checkpoint": ("kind", "decision", "policy", "similarity"),
    "policy": ("kind", "decision", "checkpoint", "similarity"),
}


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class EventPlace:
    """Where an event was made; as a text, in the reader's language.

    Args:
        checkpoint: its name; empty without one.
        is_video: without a checkpoint, whether it was in a video file; else it was on the live page.
    """

    checkpoint: str = ""
    is_video: bool = False

    @classmethod
    def of(cls, checkpoint: str | None, reasons: Iterable[Mapping[str, Any]]) -> Self:
        """The place of an event with that checkpoint, if any, and these stored reasons.

        Of an event that `faceweb video` stores, or whose video was deleted, a reason is all that tells.
        """
        return cls(checkpoint or "", any(each["reason"] == TransactionReason.FROM_VIDEO for each in reasons))

    def __str__(self) -> str:
        return self.checkpoint or (gettext("video") if self.is_video else gettext("live page"))


class RecognitionEvent(models.Model):
    """One recognition transaction, from the claim or the first vote to the decision."""

    class Kind(models.TextChoices):
        """Whether the face was searched among everybody, or compared with a claimed identity."""

        IDENTIFICATION = "identification", _("identification")
        VERIFICATION = "verification", _("verification")

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.IDENTIFICATION)
    checkpoint = models.ForeignKey(
        Checkpoint,
        models.PROTECT,
        null=True,
        related_name="events",
        verbose_name=_("checkpoint"),
        help_text=_("Empty for the live page."),
        db_index=False,
    )
    device = models.ForeignKey(KioskDevice, models.SET_NULL, null=True, related_name="+", verbose_name=_("kiosk"))
    claimed_id = models.CharField(
        _("claimed id"), max_length=100, blank=True, help_text=_("As it was typed or scanned.")
    )
    claimed_person = models.ForeignKey(
        Person,
        models.SET_NULL,
        null=True,
        related_name="claims",
        verbose_name=_("claimed person"),
        help_text=_("Empty where nobody has the claimed id."),
        db_index=False,
    )
    transaction = models.UUIDField(_("transaction"), default=uuid.uuid4, unique=True, editable=False)
    decision = models.CharField(
        _("decision"), max_length=40, choices=[(code.value, text) for code, text in DECISION_LABELS.items()]
    )
    reasons = models.JSONField(
        _("reasons"), default=list, help_text=_("Reason codes with measured and required values.")
    )
    person = models.ForeignKey(
        Person,
        models.SET_NULL,
        null=True,
        related_name="events",
        verbose_name=_("person"),
        help_text=_("Set for an accepted event only."),
        db_index=False,
    )
    best_person = models.ForeignKey(
        Person, models.SET_NULL, null=True, related_name="+", verbose_name=_("closest person"), db_index=False
    )
    best_sample = models.ForeignKey(
        FaceSample, models.SET_NULL, null=True, related_name="+", verbose_name=_("closest sample")
    )
    runner_up = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+", verbose_name=_("next person"))
    similarity = models.FloatField(_("similarity"), null=True)
    margin = models.FloatField(_("margin"), null=True)
    votes = models.JSONField(_("votes"), default=list)
    thresholds = models.JSONField(_("thresholds"), default=dict)
    policy = models.ForeignKey(
        ThresholdPolicy, models.PROTECT, related_name="events", verbose_name=_("policy version"), db_index=False
    )
    pack = models.ForeignKey(ModelPack, models.PROTECT, related_name="events", verbose_name=_("model pack"))
    quality = models.JSONField(_("quality"), default=dict)
    timings = models.JSONField(_("timings in ms"), default=dict)
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("operator"),
    )
    started_at = models.DateTimeField(_("first seen"))
    decided_at = models.DateTimeField(_("decided"))

    class Meta:
        verbose_name = _("recognition event")
        verbose_name_plural = _("recognition events")
        ordering = ["-decided_at", "-id"]
        permissions = [
            ("use_live", _("Can use the live recognition page")),
            ("record_live", _("Can record and photograph the live page")),
            ("search_gallery", _("Can search the gallery by photo")),
            ("export_recognitionevent", _("Can export recognition events")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(decision__in=[decision.value for decision in Decision]),
                name="an_event_has_a_known_decision",
            ),
            # Kind itself is out of reach here: a class body in a class body.
            models.CheckConstraint(
                condition=Q(kind__in=["identification", "verification"]), name="an_event_has_a_known_kind"
            ),
        ]
        # The log is read newest first, whatever it is filtered by: each of these gives its rows in that order, and
        # holds what else is often asked for, so that what a filter leaves out is passed over without a look at the row.
        indexes = [
            models.Index(fields=["decided_at", "id"], include=_FILTERED_BY, name="event_log"),
            *(
                models.Index(fields=[name, "decided_at", "id"], include=also, name=f"event_log_{name}")
                for name, also in _ALSO_FILTERED_BY.items()
            ),
            *(
                models.Index(fields=[name, "decided_at", "id"], name=f"event_log_{name}")
                for name in ("person", "best_person", "claimed_person")
            ),
            models.Index(fields=["similarity"], name="event_log_similarity"),
            GinIndex(reason_codes("reasons"), name="event_log_reasons"),
            models.Index(
                OpClass(Upper("claimed_id"), "text_pattern_ops"),
                F("decided_at"),
                F("id"),
                condition=~Q(claimed_id=""),
                name="event_log_claimed_id",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_decision_display()}"

    @property
    def place(self) -> EventPlace:
        """Where it was made."""
        return EventPlace.of(self.checkpoint.name if self.checkpoint else "", self.reasons)


class EventOverride(models.Model):
    """What staff did after a decision; the decision stays as it was."""

    class Outcome(models.TextChoices):
        """What was done instead."""

        ADMITTED = "admitted", _("let in")
        REFUSED = "refused", _("turned away")

    event = models.ForeignKey(RecognitionEvent, models.PROTECT, related_name="overrides", verbose_name=_("event"))
    outcome = models.CharField(_("done instead"), max_length=10, choices=Outcome.choices)
    reason = models.TextField(_("reason"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("time"), auto_now_add=True)
    is_repeat = models.BooleanField(
        _("repeat"),
        default=False,
        editable=False,
        help_text=_("Set for the later ones of an event that was overridden twice when that was still possible."),
    )

    class Meta:
        verbose_name = _("override")
        verbose_name_plural = _("overrides")
        ordering = ["-at"]
        indexes = [GinIndex(words("reason"), name="override_words")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason__regex=r"^\s*$"), name="an_override_has_a_reason"),
            models.UniqueConstraint(fields=["event"], condition=Q(is_repeat=False), name="one_override_an_event"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Alert(models.Model):
    """Something staff must see now: somebody of the deny list is there."""

    event = models.OneToOneField(RecognitionEvent, models.CASCADE, related_name="alert", verbose_name=_("event"))
    created_at = models.DateTimeField(_("since"), auto_now_add=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("seen by")
    )
    acknowledged_at = models.DateTimeField(_("seen"), null=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-created_at"]
        permissions = [("acknowledge_alert", _("Can acknowledge alerts"))]

    def __str__(self) -> str:
        return f"#{self.pk}"


class EventCrop(models.Model):
    """The probe of an event as a picture, in a table of its own."""

    event = models.OneToOneField(RecognitionEvent, models.CASCADE, primary_key=True, related_name="crop")
    jpeg = models.BinaryField()

    class Meta:
        verbose_name = _("event crop")
        verbose_name_plural = _("event crops")

    def __str__(self) -> str:
        return f"#{self.pk}"
