"""Long work: what was asked for, how far it is, and what came of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Job(models.Model):
    """One piece of long work, as people see it; procrastinate's own tables say which process has it."""

    ONE_OF_A_KIND = "one_open_job_of_a_kind"
    """Name of the constraint that a second job of a kind breaks while the first is not over."""

    class Kind(models.TextChoices):
        """What is done."""

        CLASSIFIERS = "classifiers", _("classifiers trained")
        GALLERY_CHECK = "gallery_check", _("gallery check")
        IMPORT = "import", _("import")
        PACK_SWITCH = "pack_switch", _("model pack tried out")
        THRESHOLDS = "thresholds", _("thresholds measured")
        UNKNOWNS = "unknowns", _("unknown faces grouped")
        VIDEO = "video", _("video watched")
        VIDEO_COMPARISON = "video_comparison", _("person compared with a video")

    class State(models.TextChoices):
        """Where it stands; the last three are final."""

        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        SUCCEEDED = "succeeded", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (State.QUEUED, State.RUNNING)
    OVER = (State.SUCCEEDED, State.FAILED, State.CANCELLED)

    kind = models.CharField(_("kind"), max_length=40, choices=Kind.choices)
    parameters = models.JSONField(_("parameters"), default=dict, help_text=_("Ids and numbers; no name, no image."))
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("asked for by"),
        help_text=_("Empty for the command line."),
    )
    requested_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.QUEUED)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("ended"), null=True)
    heartbeat_at = models.DateTimeField(_("last step"), null=True)
    done = models.PositiveIntegerField(_("steps done"), default=0)
    total = models.PositiveIntegerField(_("steps in all"), null=True)
    checkpoint = models.JSONField(default=dict, help_text="Where it goes on after a process was killed.")
    result = models.JSONField(_("result"), default=dict, help_text=_("Codes, ids and numbers."))
    error_code = models.CharField(_("error"), max_length=40, blank=True)
    error_parameters = models.JSONField(default=dict)
    is_cancel_requested = models.BooleanField(_("to be cancelled"), default=False)
    attempt = models.PositiveIntegerField(
        default=0, help_text="Counts up with each process that takes it: a late one finds that it is no longer its own."
    )
    interruptions = models.PositiveIntegerField(default=0, help_text="How often a process that had it was killed.")
    queue_number = models.BigIntegerField(
        null=True, help_text="Its row in the table of procrastinate while it is open."
    )

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-requested_at", "-pk"]
        permissions = [("cancel_job", "Can cancel jobs")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                # Of videos any number waits, each for its own turn.
                condition=Q(state__in=["queued", "running"]) & ~Q(kind__in=["video", "video_comparison"]),
                name="one_open_job_of_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], finished_at__isnull=True)
                | Q(state__in=["succeeded", "failed", "cancelled"], finished_at__isnull=False),
                name="a_job_has_ended_when_its_state_is_final",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in self.OPEN
