"""The application as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecognitionConfig(AppConfig):
    """Registers checks and connects signal handlers when Django is ready."""

    name = "recognition"
    verbose_name = _("Recognition")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Imports the modules that register themselves."""
        from recognition import checks  # noqa: F401  # registers the checks
        from recognition.live import logout, removal  # noqa: F401  # connect the signals
