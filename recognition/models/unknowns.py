"""Faces of events that nobody was recognised by, grouped into people-to-be, and what staff made of them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from pgvector.django import VectorField

from recognition.models.events import EventCrop
from recognition.models.packs import ModelPack
from recognition.models.people import Person


class UnknownCluster(models.Model):
    """Faces that are one person's, as far as their vectors can tell."""

    class State(models.TextChoices):
        """What somebody said of it."""

        OPEN = "open", _("not decided")
        ASSIGNED = "assigned", _("somebody who is enrolled")
        IGNORED = "ignored", _("not a person of interest")

    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.OPEN)
    person = models.ForeignKey(
        Person,
        models.CASCADE,
        null=True,
        related_name="unknown_clusters",
        verbose_name=_("person"),
        help_text=_("Who it is, where somebody said so; erased with them."),
    )
    is_kept = models.BooleanField(
        default=False, help_text="Somebody split, merged or decided it: no run joins two such clusters."
    )
    created_at = models.DateTimeField(_("grouped"), auto_now_add=True)

    class Meta:
        verbose_name = _("unknown person")
        verbose_name_plural = _("unknown people")
        default_permissions = ("change", "view")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="assigned", person__isnull=False)
                | Q(state__in=["open", "ignored"], person__isnull=True),
                name="an_unknown_has_a_person_when_assigned",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class UnknownFace(models.Model):
    """The kept picture of an event as a vector. It goes with the picture, and so with the event."""

    crop = models.OneToOneField(EventCrop, models.CASCADE, primary_key=True, related_name="unknown_face")
    # Nearly all are of one pack: by an index of it the database would read every row, again for each cluster.
    pack = models.ForeignKey(ModelPack, models.PROTECT, related_name="+", db_index=False)
    embedding = VectorField(null=True, help_text="Empty where the pack sees no face in the picture.")
    cluster = models.ForeignKey(UnknownCluster, models.CASCADE, null=True, related_name="faces")

    class Meta:
        verbose_name = _("unknown face")
        verbose_name_plural = _("unknown faces")
        default_permissions = ()

    def __str__(self) -> str:
        return f"#{self.pk}"


class UnknownMove(models.Model):
    """What somebody did to clusters, with all that it takes to undo it: ids alone."""

    class Kind(models.TextChoices):
        """What was done."""

        ASSIGN = "assign", _("assigned to a person")
        CREATE = "create", _("made a person")
        SPLIT = "split", _("split")
        MERGE = "merge", _("merged")
        IGNORE = "ignore", _("ignored")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    clusters = ArrayField(models.BigIntegerField(), help_text="All that it touched, the one that stays first.")
    before = models.JSONField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    made_at = models.DateTimeField(_("time"), auto_now_add=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(_("undone"), null=True)

    class Meta:
        verbose_name = _("decision on unknown people")
        verbose_name_plural = _("decisions on unknown people")
        default_permissions = ()
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"#{self.pk}"
