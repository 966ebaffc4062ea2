"""The sealed log: a chain of hashes over what was decided and done.

Rows are made by triggers, when the transaction that stores what they seal commits (see migration 0019), and never by
this program; the database refuses every change of the chain.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SealedKind(models.TextChoices):
    """What a row seals; each kind has its numbers."""

    EVENT = "event", _("event")
    CLAIM = "claim", _("claimed id of an event")
    CROP = "crop", _("picture of an event")
    OVERRIDE = "override", _("override")
    VERDICT = "verdict", _("verdict")
    AUDIT = "audit", _("audit entry")
    HOLD = "hold", _("legal hold")
    EVENT_HOLD = "event_hold", _("hold on an event")


class SealedRow(models.Model):
    """One row of the chain; nothing personal is in it, so it stays for ever."""

    position = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=20, choices=SealedKind.choices)
    row_id = models.BigIntegerField()
    digest = models.BinaryField()
    previous = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        verbose_name = _("row of the sealed log")
        verbose_name_plural = _("sealed log")
        default_permissions = ()
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["kind", "row_id"], name="what_is_sealed_is_sealed_once")]

    def __str__(self) -> str:
        return f"#{self.position}"


class AnchorPlace(models.Model):
    """Where heads of the sealed log are kept outside of the database, and how that went last.

    What a web host shows of it: the file is on the machine of a jobs process.
    """

    class Code(models.TextChoices):
        """Which place."""

        FILE = "file", _("file")
        ADDRESS = "address", _("address")

    code = models.CharField(primary_key=True, max_length=20, choices=Code.choices)
    kept_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("place of anchors")
        verbose_name_plural = _("places of anchors")
        default_permissions = ()

    def __str__(self) -> str:
        return self.code


class SealedContent(models.Model):
    """What proves a digest of the chain, beside the row that it was made of; removed together with that row.

    `links` holds the numbers that the row's links had when it was sealed. Erasing what they point to empties the links,
    and the numbers stay, as they do in votes and audit entries; they lead to nobody any more.
    """

    kind = models.CharField(max_length=20, choices=SealedKind.choices)
    row_id = models.BigIntegerField()
    salt = models.BinaryField()
    links = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("salt of the sealed log")
        verbose_name_plural = _("salts of the sealed log")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["kind", "row_id"], name="what_is_sealed_has_one_salt")]

    def __str__(self) -> str:
        return f"{self.kind} #{self.row_id}"
