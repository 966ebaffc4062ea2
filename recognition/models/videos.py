"""Videos that were uploaded, who was seen in each, and its copy with names."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from recognition.models.events import RecognitionEvent
from recognition.models.jobs import Job
from recognition.models.people import Person


class Video(models.Model):
    """One upload and what came of it; all of it goes together."""

    file_name = models.CharField(_("file"), max_length=200)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("uploaded by")
    )
    uploaded_at = models.DateTimeField(_("uploaded"), db_index=True)
    job = models.OneToOneField(
        Job, models.SET_NULL, null=True, editable=False, related_name="video", verbose_name=_("job")
    )
    duration_s = models.FloatField(_("length in seconds"), null=True, help_text=_("Empty until it was watched."))
    broke_off = models.BooleanField(_("cut off or broken before its end"), default=False)
    unusable = models.PositiveIntegerField(_("faces that no frame showed well enough"), default=0)

    class Meta:
        verbose_name = _("video")
        verbose_name_plural = _("videos")
        default_permissions = ("add", "delete", "view")
        permissions = [("download_video", _("Can download annotated videos"))]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"#{self.pk}"


class VideoPiece(models.Model):
    """A piece of a film, so that neither an upload nor a download is ever in memory as a whole."""

    class Film(models.TextChoices):
        """Which film it is of."""

        UPLOADED = "uploaded", _("as it was uploaded")
        ANNOTATED = "annotated", _("with boxes and names")

    video = models.ForeignKey(Video, models.CASCADE, related_name="pieces", db_index=False)
    film = models.CharField(max_length=20, choices=Film.choices)
    number = models.PositiveIntegerField(help_text="Counts from 0; all but the last have the same size.")
    data = models.BinaryField()

    class Meta:
        verbose_name = _("piece of a video")
        verbose_name_plural = _("pieces of videos")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["video", "film", "number"], name="a_piece_of_a_video_has_its_place"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class VideoAppearance(models.Model):
    """A face of a video from when it came until it went, with its best view."""

    video = models.ForeignKey(Video, models.CASCADE, related_name="appearances")
    first_s = models.FloatField()
    last_s = models.FloatField()
    decision = models.CharField(max_length=32, blank=True)
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="+")
    similarity = models.FloatField(null=True)
    event = models.ForeignKey(RecognitionEvent, models.SET_NULL, null=True, related_name="+")
    crop_jpeg = models.BinaryField()
    score = models.FloatField(help_text="Quality of that view, 0..1; -1 without one.")

    class Meta:
        verbose_name = _("appearance in a video")
        verbose_name_plural = _("appearances in videos")
        default_permissions = ()
        ordering = ["first_s", "pk"]

    def __str__(self) -> str:
        return f"#{self.pk}"
