"""What was learned of the gallery: a classifier of each kind and model pack."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from recognition.models.packs import ModelPack


class TrainedClassifier(models.Model):
    """The newest classifier of a kind; a policy's strategy is the kind that it asks."""

    class Kind(models.TextChoices):
        """Which algorithm; the values are those of `decision.matching.CLASSIFIERS`."""

        KNN = "knn_classifier", _("nearest neighbours (k-NN)")
        SVM = "svm_classifier", _("linear support vector machine (SVM)")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    pack = models.ForeignKey(ModelPack, models.CASCADE, related_name="classifiers", verbose_name=_("model pack"))
    data = models.BinaryField(help_text="As `decision.classifier_files` made it.")
    sha256 = models.CharField(max_length=64, help_text="Of the data: processes that hold it see that it changed.")
    gallery = models.CharField(max_length=64, help_text="Which samples were learned, as whose: a digest.")
    policy_version = models.PositiveIntegerField(_("policy"), help_text=_("Whose thresholds it was compared at."))
    people = models.PositiveIntegerField(_("people"))
    samples = models.PositiveIntegerField(_("samples"))
    others = models.PositiveIntegerField(_("faces of other people"))
    trained_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("asked for by"),
        help_text=_("Empty where it was trained again by itself, or from the command line."),
    )
    trained_at = models.DateTimeField(_("trained"))

    class Meta:
        verbose_name = _("classifier")
        verbose_name_plural = _("classifiers")
        default_permissions = ("view",)
        permissions = [("train_classifiers", _("Can train classifiers"))]
        ordering = ["kind"]
        constraints = [models.UniqueConstraint(fields=["pack", "kind"], name="one_classifier_a_pack_and_kind")]

    def __str__(self) -> str:
        return f"#{self.pk}"
