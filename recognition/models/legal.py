"""By which right people are recognised, what keeps their data, and what is left of those who were erased."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from recognition.models.events import RecognitionEvent
from recognition.models.people import Person


class LegalBasis(models.Model):
    """A ground on which a person's face may be processed; the database takes no change of it but a withdrawal."""

    class Kind(models.TextChoices):
        """The ground."""

        CONSENT = "consent", _("consent")
        CONTRACT = "contract", _("contract")
        LEGAL_OBLIGATION = "legal_obligation", _("legal obligation")
        VITAL_INTEREST = "vital_interest", _("vital interest")
        PUBLIC_TASK = "public_task", _("public task")
        LEGITIMATE_INTEREST = "legitimate_interest", _("legitimate interest")

    class Given(models.TextChoices):
        """How a consent was given."""

        SIGNED_FORM = "signed_form", _("signed form")
        ONLINE = "online", _("online form")
        ORAL = "oral", _("spoken, before a witness")

    person = models.ForeignKey(Person, models.CASCADE, related_name="legal_bases", verbose_name=_("person"))
    kind = models.CharField(_("ground"), max_length=30, choices=Kind.choices)
    text_version = models.CharField(
        _("version of the text"), max_length=100, blank=True, help_text=_("Of the text that was agreed to.")
    )
    given_at = models.DateTimeField(_("given"))
    how = models.CharField(_("how it was given"), max_length=20, choices=Given.choices, blank=True)
    document = models.CharField(
        _("document"), max_length=200, blank=True, help_text=_("Where the proof is filed; no proof itself.")
    )
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("recorded by")
    )
    recorded_at = models.DateTimeField(_("recorded"), auto_now_add=True)

    class Meta:
        verbose_name = _("legal basis")
        verbose_name_plural = _("legal bases")
        default_permissions = ("add", "view")
        ordering = ["-pk"]
        permissions = [("withdraw_legalbasis", _("Can withdraw legal bases"))]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="consent") | ~(Q(text_version="") | Q(how="")),
                name="a_consent_says_to_what_and_how",
                violation_error_message=_("For a consent, say to which version of the text, and how it was given."),
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("given_at")),
                name="a_basis_begins_before_it_ends",
                violation_error_message=_("The basis ends before it was given: choose a later “valid until”."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class LegalHold(models.Model):
    """A duty to keep a person's data, such as a lawsuit: until it is lifted they cannot be erased."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="legal_holds", verbose_name=_("person"))
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
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        default_permissions = ("add", "view")
        ordering = ["-pk"]
        permissions = [("lift_legalhold", _("Can lift legal holds"))]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ErasureReason(models.TextChoices):
    """Why a person is erased; a code, so that the certificate tells nothing else of them."""

    WITHDRAWN = "withdrawn", _("consent was withdrawn")
    REQUESTED = "requested", _("the person asked for it")
    NO_PURPOSE = "no_purpose", _("no longer needed")
    MISTAKE = "mistake", _("enrolled by mistake")
    DELETED = "deleted", _("deleted in the admin")
    RESTORED = "restored", _("erased before, and brought back by a backup")


class ErasureCertificate(models.Model):
    """What was deleted of a person, signed; neither the name nor a picture. Never changed, never removed."""

    made_at = models.DateTimeField(_("erased"))
    reason = models.CharField(_("reason"), max_length=20, choices=ErasureReason.choices)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("by"),
        help_text=_("Empty for the command line."),
    )
    contents = models.JSONField(_("contents"), help_text=_("Counts, internal numbers and digests."))
    signature = models.CharField(_("signature"), max_length=100, help_text=_("HMAC of the contents."))
    events = models.ManyToManyField(RecognitionEvent, related_name="erasures", verbose_name=_("events"))

    class Meta:
        verbose_name = _("erasure certificate")
        verbose_name_plural = _("erasure certificates")
        default_permissions = ("view",)
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ErasureRequest(models.Model):
    """The wish to have a person erased, which waits while there is a legal hold."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING_FOR_HOLD = "waiting_for_hold", _("waits for a legal hold")
        DONE = "done", _("done")

    person = models.ForeignKey(
        Person, models.SET_NULL, null=True, related_name="erasure_requests", verbose_name=_("person")
    )
    reason = models.CharField(_("reason"), max_length=20, choices=ErasureReason.choices)
    state = models.CharField(_("state"), max_length=20, choices=State.choices)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("asked for by")
    )
    requested_at = models.DateTimeField(_("asked for"))
    certificate = models.OneToOneField(
        ErasureCertificate, models.PROTECT, null=True, related_name="request", verbose_name=_("certificate")
    )

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        default_permissions = ("view",)
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting_for_hold", certificate=None) | Q(state="done", certificate__isnull=False),
                name="an_erasure_that_is_done_has_a_certificate",
            ),
            models.UniqueConstraint(
                fields=["person"], condition=Q(state="waiting_for_hold"), name="one_waiting_erasure_a_person"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
