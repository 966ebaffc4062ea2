"""People, their samples, and the templates made of them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from pgvector.django import VectorField

from recognition.models.arrivals import CurrentTransaction, TransactionId
from recognition.models.packs import ModelPack
from recognition.models.searching import words


class PersonGroup(models.Model):
    """People who may pass the same checkpoints."""

    name = models.CharField(_("name"), max_length=100, unique=True)

    class Meta:
        verbose_name = _("group of people")
        verbose_name_plural = _("groups of people")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """Somebody who is to be recognised."""

    uid = models.UUIDField(
        default=uuid.uuid4,
        db_default=RandomUUID(),
        unique=True,
        editable=False,
        help_text="Stays the same in every backup, export and import.",
    )
    name = models.CharField(_("name"), max_length=200, db_index=True)
    external_id = models.CharField(
        _("external id"),
        max_length=100,
        unique=True,
        null=True,
        blank=True,
        help_text=_("Number of the badge or of the personnel file; unique, and may be empty."),
    )
    notes = models.TextField(_("notes"), blank=True)
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Only active people are searched and recognised."),
    )
    groups = models.ManyToManyField(PersonGroup, blank=True, related_name="people", verbose_name=_("groups"))
    is_suspended = models.BooleanField(
        _("suspended"), default=False, help_text=_("Recognised, and refused at every checkpoint.")
    )
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(
        _("valid until"), null=True, blank=True, help_text=_("From this moment on refused at every checkpoint.")
    )
    merged_into = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        editable=False,
        related_name="merged_people",
        verbose_name=_("merged into"),
        help_text=_("Set where this row turned out to be another person's: neither listed nor searched any more."),
    )
    keeps_photos = models.BooleanField(
        _("photos are kept"),
        default=True,
        editable=False,
        help_text=_("Without photos only templates are stored: recognised as well, but never embedded anew."),
    )
    pin_hash = models.CharField(max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(_("enrolled"), auto_now_add=True)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["name", "pk"]
        permissions = [("merge_person", _("Can merge and split people"))]
        indexes = [GinIndex(words("name"), words("external_id"), name="person_words")]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_until__isnull=True) | Q(valid_from__lt=F("valid_until")),
                name="validity_begins_before_it_ends",
                violation_error_message=_("“Valid until” must be later than “valid from”."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class DenyListEntry(models.Model):
    """A person who is refused everywhere, and whose coming raises an alert."""

    person = models.OneToOneField(Person, models.CASCADE, related_name="deny_list_entry", verbose_name=_("person"))
    reason = models.TextField(_("reason"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("deny list entry")
        verbose_name_plural = _("deny list")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"#{self.pk}"


class FaceSample(models.Model):
    """One captured face of a person, good enough to be searched."""

    ONE_AN_IMAGE = "one_sample_a_person_and_image"
    """Name of the constraint that an image enrolled twice for a person breaks."""

    class Status(models.TextChoices):
        """Whether the sample is searched."""

        ACTIVE = "active", _("active")
        SET_ASIDE = "set_aside", _("set aside")

    class Source(models.TextChoices):
        """Where the sample came from."""

        UPLOAD = "upload", _("admin upload")
        COMMAND = "command", _("command line")
        IMPORT = "import", _("folder import")
        EVENT = "event", _("face of an event")
        GUIDED = "guided", _("guided webcam enrolment")

    uid = models.UUIDField(
        default=uuid.uuid4,
        db_default=RandomUUID(),
        unique=True,
        editable=False,
        help_text="Stays the same in every backup, export and import.",
    )
    person = models.ForeignKey(Person, models.CASCADE, related_name="samples", verbose_name=_("person"))
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.ACTIVE)
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    event = models.ForeignKey(
        "recognition.RecognitionEvent",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="enrolled_samples",
        verbose_name=_("event"),
        help_text=_("Whose face it is a picture of; empty for other sources, and where the event was removed."),
    )
    pose = models.CharField(
        _("pose"),
        max_length=10,
        blank=True,
        default="",
        editable=False,
        help_text=_("Which pose of the guided enrolment it shows; empty for other sources."),
    )
    quality = models.JSONField(_("quality"))
    doubts = models.JSONField(
        _("doubts"), default=list, help_text=_("What spoke against it when it was enrolled: codes, ids and numbers.")
    )
    image_sha256 = models.CharField(
        _("image digest"),
        max_length=64,
        help_text=_("SHA-256 of the file as it came; the same file is enrolled once a person."),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("enrolled by"),
    )
    created_at = models.DateTimeField(_("enrolled"), auto_now_add=True)

    class Meta:
        verbose_name = _("face sample")
        verbose_name_plural = _("face samples")
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["person", "image_sha256"], name="one_sample_a_person_and_image")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SampleImage(models.Model):
    """The picture of a sample, in a table of its own so that no list loads it by accident."""

    sample = models.OneToOneField(FaceSample, models.CASCADE, primary_key=True, related_name="image")
    jpeg = models.BinaryField()

    class Meta:
        verbose_name = _("sample image")
        verbose_name_plural = _("sample images")

    def __str__(self) -> str:
        return f"#{self.pk}"


class FaceTemplate(models.Model):
    """A sample as a vector of one model pack.

    It never changes. The column has no fixed dimension, because packs differ; `services.packs` has the database check
    the one of each pack. What is searched in which way is decided in `selectors.gallery`.
    """

    ONE_A_PACK = "one_template_a_sample_and_pack"
    """Name of the constraint that a sample embedded twice by a pack breaks."""

    sample = models.ForeignKey(FaceSample, models.CASCADE, related_name="templates")
    pack = models.ForeignKey(ModelPack, models.PROTECT, related_name="templates")
    embedding = VectorField()
    arrived_in = TransactionId(null=True, editable=False, db_default=CurrentTransaction())

    class Meta:
        verbose_name = _("face template")
        verbose_name_plural = _("face templates")
        indexes = [models.Index(fields=["pack", "arrived_in"], name="template_arrivals")]
        constraints = [models.UniqueConstraint(fields=["sample", "pack"], name="one_template_a_sample_and_pack")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class DistinctPair(models.Model):
    """Two people who are alike and of whom somebody said that they really are two."""

    ONE_OF_TWO = "one_pair_of_two_people"
    """Name of the constraint by which a pair is remembered once."""

    first = models.ForeignKey(Person, models.CASCADE, related_name="+", verbose_name=_("person"))
    second = models.ForeignKey(Person, models.CASCADE, related_name="+", verbose_name=_("other person"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("pair told apart")
        verbose_name_plural = _("pairs told apart")
        default_permissions = ("view", "delete")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="one_pair_of_two_people"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="a_pair_is_in_ascending_order"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class PersonMove(models.Model):
    """Samples that went from one person to another, with all that it takes to undo it.

    `before` holds ids and, of both people, the values that were changed; it goes with either of them.
    """

    class Kind(models.TextChoices):
        """Why they went."""

        MERGE = "merge", _("merged")
        SPLIT = "split", _("split")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    source = models.ForeignKey(Person, models.CASCADE, related_name="moves_from", verbose_name=_("from"))
    target = models.ForeignKey(Person, models.CASCADE, related_name="moves_to", verbose_name=_("to"))
    before = models.JSONField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    made_at = models.DateTimeField(_("time"), auto_now_add=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(_("undone"), null=True)

    class Meta:
        verbose_name = _("move of samples")
        verbose_name_plural = _("moves of samples")
        default_permissions = ()
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(source=F("target")), name="a_move_is_between_two_people"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class WaitingPhoto(models.Model):
    """An upload that shows several faces, kept for a while so that somebody chooses the right one.

    `faces` holds, from left to right, each face's box in pixels of the photo and the gates that it does not pass.
    """

    ONE_AN_IMAGE = "one_waiting_photo_a_person_and_image"
    """Name of the constraint by which a photo that is sent twice waits once."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="waiting_photos")
    file_name = models.CharField(max_length=200)
    image_sha256 = models.CharField(max_length=64)
    data = models.BinaryField()
    preview_jpeg = models.BinaryField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    faces = models.JSONField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("waiting photo")
        verbose_name_plural = _("waiting photos")
        default_permissions = ()
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["person", "image_sha256"], name="one_waiting_photo_a_person_and_image")
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
