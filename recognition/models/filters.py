"""Filters of the log that somebody wants to use again."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SavedFilter(models.Model):
    """What somebody filtered the log by, under a name."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_filters", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=60)
    query = models.JSONField(_("filter"), default=dict, help_text=_("As the address of the page has it."))
    is_shared = models.BooleanField(_("for everybody"), default=False)

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        ordering = ["name", "pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_filter_of_a_name_and_owner"),
        ]

    def __str__(self) -> str:
        return self.name
