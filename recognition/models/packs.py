"""Model packs that this installation has used."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ModelPack(models.Model):
    """A model pack as configured, identified by its digest; see `vision.model_packs`."""

    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(
        _("digest"),
        max_length=64,
        unique=True,
        help_text=_("SHA-256 over weights and preprocessing; vectors of one digest are comparable."),
    )
    dimension = models.PositiveIntegerField(_("dimension"))
    licence = models.CharField(_("licence"), max_length=200)
    licence_url = models.URLField(_("terms"), max_length=200, blank=True, default="")
    commercial_use = models.BooleanField(_("commercial use allowed"), null=True)
    location = models.CharField(
        _("location"),
        max_length=1000,
        blank=True,
        help_text=_("Folder of the weights; empty for the pack that ships with the product."),
    )
    operating_points = models.JSONField(
        _("measured thresholds"),
        default=list,
        blank=True,
        help_text=_("List of objects with fmr, threshold and tmr."),
    )
    measured_on = models.CharField(_("measured on"), max_length=200, blank=True)
    is_supplied = models.BooleanField(
        _("brought along"),
        default=False,
        help_text=_("An embedder of your own, which is not brought into use before it was measured here."),
    )
    is_active = models.BooleanField(_("active"), default=False)
    created_at = models.DateTimeField(_("first used"), auto_now_add=True)

    class Meta:
        verbose_name = _("model pack")
        verbose_name_plural = _("model packs")
        permissions = [("switch_modelpack", _("Can try and switch model packs"))]
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"],
                condition=models.Q(is_active=True),
                name="one_active_pack",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.digest[:12]})"

    @property
    def decides(self) -> bool:
        """Whether thresholds were measured, without which no decision is made."""
        return bool(self.operating_points)

    @property
    def may_be_used(self) -> bool:
        """Whether it may be brought into use; one that somebody brought along only after it was measured."""
        return self.decides or not self.is_supplied
