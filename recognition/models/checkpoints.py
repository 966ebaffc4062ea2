"""Verification points: doors, desks and kiosks, their devices, lockouts, and what opens the door."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.core import validators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from recognition.models.people import Person, PersonGroup

SECRET_BYTES = 32
"""Length of a webhook's key: that of the SHA-256 it signs with."""


def new_secret() -> str:
    """A key for signing a checkpoint's webhook."""
    return secrets.token_hex(SECRET_BYTES)


class Checkpoint(models.Model):
    """A place where people are decided about: one camera, one policy, one door."""

    class Mode(models.TextChoices):
        """Whether people say who they are before they are looked at."""

        IDENTIFY = "identify", _("identify: the face alone says who it is")
        VERIFY = "verify", _("verify: an id first, then the face must fit it")
        BOTH = "both", _("both: the face alone, or an id first")

    class Admits(models.TextChoices):
        """Who may pass; a word of its own, so that removing the last group admits nobody and not everybody."""

        EVERYONE = "everyone", _("everybody who is enrolled")
        GROUPS = "groups", _("the groups below only")

    name = models.CharField(_("name"), max_length=100, unique=True)
    slug = models.SlugField(_("address"), max_length=50, unique=True, help_text=_("The page is /checkpoint/ADDRESS/."))
    place = models.CharField(_("place"), max_length=200, blank=True)
    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices, default=Mode.IDENTIFY)
    admits = models.CharField(_("admits"), max_length=10, choices=Admits.choices, default=Admits.GROUPS)
    allowed_groups = models.ManyToManyField(
        PersonGroup, blank=True, related_name="checkpoints", verbose_name=_("allowed groups")
    )
    attempt_limit = models.PositiveSmallIntegerField(
        _("attempt limit"),
        null=True,
        blank=True,
        validators=[validators.MinValueValidator(1)],
        help_text=_("Failed claims of one person until the delay begins; empty: as the policy says."),
    )
    is_active = models.BooleanField(_("in use"), default=True, help_text=_("A checkpoint out of use decides nothing."))
    action_url = models.URLField(
        _("webhook"),
        max_length=500,
        blank=True,
        help_text=_("Called when somebody is accepted, to open the door. Empty: nothing is called."),
    )
    action_secret = models.CharField(_("webhook key"), max_length=2 * SECRET_BYTES, default=new_secret, editable=False)
    action_deadline_s = models.FloatField(
        _("webhook deadline in seconds"),
        default=10.0,
        validators=[validators.MinValueValidator(1.0), validators.MaxValueValidator(60.0)],
        help_text=_("Not tried any more after this time: a door that opens late opens for somebody else."),
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("checkpoint")
        verbose_name_plural = _("checkpoints")
        ordering = ["name"]
        permissions = [
            ("use_checkpoint", _("Can open the page of a checkpoint")),
            ("pair_kiosk", _("Can pair kiosks with a checkpoint and remove them")),
        ]

    def __str__(self) -> str:
        return self.name


class KioskPairing(models.Model):
    """A code that an operator has been shown and a device may be paired with, once."""

    checkpoint = models.ForeignKey(Checkpoint, models.CASCADE, related_name="pairings")
    code_hash = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the code."))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("kiosk pairing")
        verbose_name_plural = _("kiosk pairings")

    def __str__(self) -> str:
        return f"#{self.pk}"


class KioskDevice(models.Model):
    """A device that may show one checkpoint's page, and nothing else."""

    checkpoint = models.ForeignKey(Checkpoint, models.CASCADE, related_name="devices", verbose_name=_("checkpoint"))
    label = models.CharField(_("device"), max_length=100, help_text=_("What the operator calls it."))
    token_hash = models.CharField(max_length=64, unique=True, editable=False, help_text=_("SHA-256 of its token."))
    paired_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("paired by")
    )
    paired_at = models.DateTimeField(_("paired"), auto_now_add=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True)
    revoked_at = models.DateTimeField(_("removed"), null=True)

    class Meta:
        verbose_name = _("kiosk")
        verbose_name_plural = _("kiosks")
        ordering = ["-paired_at"]

    def __str__(self) -> str:
        return self.label


class ClaimLockout(models.Model):
    """Failed claims in a row of one person at one checkpoint; see `decision.lockout`."""

    checkpoint = models.ForeignKey(Checkpoint, models.CASCADE, related_name="lockouts", verbose_name=_("checkpoint"))
    person = models.ForeignKey(Person, models.CASCADE, related_name="lockouts", verbose_name=_("claimed person"))
    failures = models.PositiveIntegerField(_("failed claims in a row"), default=0)
    locked_until = models.DateTimeField(_("locked until"), null=True)
    is_stopped = models.BooleanField(_("locked until staff lift it"), default=False)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("lockout")
        verbose_name_plural = _("lockouts")
        ordering = ["-changed_at"]
        constraints = [
            models.UniqueConstraint(fields=["checkpoint", "person"], name="one_lockout_a_checkpoint_and_person")
        ]
        permissions = [("lift_lockout", _("Can lift lockouts"))]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ActionDelivery(models.Model):
    """One call of a checkpoint's webhook, with every try."""

    class State(models.TextChoices):
        """Where the call stands."""

        PENDING = "pending", _("waiting")
        DELIVERED = "delivered", _("delivered")
        EXPIRED = "expired", _("too late")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="deliveries", verbose_name=_("checkpoint"))
    event = models.ForeignKey("RecognitionEvent", models.PROTECT, related_name="deliveries", verbose_name=_("event"))
    override = models.ForeignKey(
        "EventOverride", models.PROTECT, null=True, related_name="deliveries", verbose_name=_("override")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.JSONField(
        _("tries"), default=list, help_text=_("Time, HTTP status or error, and milliseconds of each.")
    )
    next_attempt_at = models.DateTimeField(_("next try"), null=True)
    expires_at = models.DateTimeField(_("too late after"))
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook call")
        verbose_name_plural = _("webhook calls")
        ordering = ["-created_at"]
        indexes = [models.Index(F("next_attempt_at"), condition=Q(state="pending"), name="pending_deliveries")]

    def __str__(self) -> str:
        return str(self.pk)
