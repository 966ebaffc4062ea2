"""Bulk imports from the web: what was uploaded, and what became of each file."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from recognition.models.jobs import Job
from recognition.models.people import FaceSample


class ImportBatch(models.Model):
    """One upload; nothing of it is in the gallery until its job is asked for."""

    file_name = models.CharField(_("file"), max_length=200)
    job = models.OneToOneField(
        Job, models.SET_NULL, null=True, editable=False, related_name="import_batch", verbose_name=_("job")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("uploaded by")
    )
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        default_permissions = ("add", "view")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ImportItem(models.Model):
    """One file of an upload; its bytes are kept until it was looked at."""

    class State(models.TextChoices):
        """What became of it."""

        PENDING = "pending", _("to be looked at")
        ENROLLED = "enrolled", _("enrolled")
        SET_ASIDE = "set_aside", _("set aside")
        KNOWN = "known", _("known already")
        REFUSED = "refused", _("not used")

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="items")
    path = models.CharField(max_length=1000)
    person = models.JSONField(null=True)
    state = models.CharField(max_length=20, choices=State.choices, default=State.PENDING)
    reasons = models.JSONField(default=list)
    sample = models.ForeignKey(FaceSample, models.SET_NULL, null=True, related_name="+")
    image_sha256 = models.CharField(max_length=64, blank=True)
    data = models.BinaryField(null=True)

    class Meta:
        verbose_name = _("file of an import")
        verbose_name_plural = _("files of an import")
        default_permissions = ()
        ordering = ["pk"]
        indexes = [models.Index(fields=["batch", "state"], name="importitem_batch_state")]

    def __str__(self) -> str:
        return f"#{self.pk}"
