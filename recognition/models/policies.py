"""The threshold policy: versioned rows, one of them active a pack."""

from __future__ import annotations

from django.conf import settings
from django.core import validators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from recognition.decision.matching import Strategy
from recognition.decision.policy import LONGEST_DELAY_S, Policy, QualityGates
from recognition.models.checkpoints import Checkpoint
from recognition.models.packs import ModelPack

_SIMILARITY = [validators.MinValueValidator(-1.0), validators.MaxValueValidator(1.0)]
_SHARE = [validators.MinValueValidator(0.0), validators.MaxValueValidator(1.0)]
_ANGLE = [validators.MinValueValidator(0.0), validators.MaxValueValidator(90.0)]
_POSITIVE = [validators.MinValueValidator(0.1)]
_DELAY = [validators.MinValueValidator(0.1), validators.MaxValueValidator(LONGEST_DELAY_S)]
_DEFAULT = QualityGates()
_POLICY = Policy(version=0, identification_threshold=1.0, verification_threshold=1.0)


class ThresholdPolicy(models.Model):
    """One version of the numbers that decide; a change makes a new version.

    The meaning and unit of each number stands with `decision.policy.Policy` and `QualityGates`. The database
    refuses to change a stored number (see migration 0002): events name the version that decided them. It also
    keeps who took each step of a version's life and when, and never leaves a site without a policy (0005).
    """

    class State(models.TextChoices):
        """The life of a version: proposed, then approved, then active from its time on, then former."""

        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved, not yet in force")
        ACTIVE = "active", _("active")
        FORMER = "former", _("former")
        REJECTED = "rejected", _("rejected")

    class Strategy(models.TextChoices):
        """How templates found become ranked people; see `decision.matching.Strategy`."""

        NEAREST = "nearest", _("nearest sample")
        K_NEAREST = "k_nearest", _("vote of the nearest samples")
        CENTROID = "centroid", _("mean of a person's samples")
        KNN_CLASSIFIER = "knn_classifier", _("nearest sample, unless the k-NN classifier objects")
        SVM_CLASSIFIER = "svm_classifier", _("nearest sample, unless the SVM classifier objects")

    version = models.PositiveIntegerField(_("version"), unique=True, editable=False)
    pack = models.ForeignKey(
        ModelPack,
        models.PROTECT,
        related_name="policies",
        verbose_name=_("model pack"),
        editable=False,
    )
    checkpoint = models.ForeignKey(
        Checkpoint,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="policies",
        verbose_name=_("applies to"),
        help_text=_("Empty: everywhere that has no policy of its own."),
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PROPOSED, editable=False)
    identification_threshold = models.FloatField(
        _("identification threshold"),
        validators=_SIMILARITY,
        help_text=_("Cosine similarity from which a search names a person. Higher is stricter."),
    )
    verification_threshold = models.FloatField(
        _("verification threshold"),
        validators=_SIMILARITY,
        help_text=_("Cosine similarity from which a claimed identity is confirmed."),
    )
    margin = models.FloatField(
        _("margin"),
        default=0.05,
        validators=[validators.MinValueValidator(0.0), validators.MaxValueValidator(2.0)],
        help_text=_("Least gap in similarity between the best person and the next."),
    )
    votes_needed = models.PositiveSmallIntegerField(
        _("votes needed"),
        default=3,
        validators=[validators.MinValueValidator(1)],
        help_text=_("Votes that must agree (k)."),
    )
    votes_of = models.PositiveSmallIntegerField(
        _("of the last votes"),
        default=5,
        validators=[validators.MinValueValidator(1), validators.MaxValueValidator(50)],
        help_text=_("Votes that are looked at (n). More than half of them must agree."),
    )
    timeout_s = models.FloatField(
        _("time-out in seconds"),
        default=8.0,
        validators=_POSITIVE,
        help_text=_("A face without a decision after this time gets none."),
    )
    reembed_interval_s = models.FloatField(
        _("look again after, in seconds"),
        default=1.0,
        validators=_POSITIVE,
        help_text=_("How often a decided face is compared again."),
    )
    min_face_size_px = models.FloatField(
        _("smallest face in pixels"),
        default=_DEFAULT.min_face_size_px,
        validators=[validators.MinValueValidator(16.0), validators.MaxValueValidator(2000.0)],
    )
    min_detection_score = models.FloatField(
        _("least detection score"), default=_DEFAULT.min_detection_score, validators=_SHARE
    )
    min_sharpness = models.FloatField(
        _("least sharpness"),
        default=_DEFAULT.min_sharpness,
        validators=[validators.MinValueValidator(0.0)],
        help_text=_("Variance of the Laplacian of the aligned face; a blurred face is below 20."),
    )
    min_luminance = models.FloatField(_("least brightness"), default=_DEFAULT.min_luminance, validators=_SHARE)
    max_luminance = models.FloatField(_("most brightness"), default=_DEFAULT.max_luminance, validators=_SHARE)
    max_yaw_degrees = models.FloatField(_("most turn in degrees"), default=_DEFAULT.max_yaw_degrees, validators=_ANGLE)
    max_pitch_degrees = models.FloatField(
        _("most nod in degrees"), default=_DEFAULT.max_pitch_degrees, validators=_ANGLE
    )
    min_visible_fraction = models.FloatField(
        _("least visible share"), default=_DEFAULT.min_visible_fraction, validators=_SHARE
    )
    strategy = models.CharField(
        _("matching"),
        max_length=20,
        choices=Strategy.choices,
        default=Strategy.NEAREST,
        help_text=_(
            "What a face is compared with: each sample, the vote of the nearest ones, or each person's mean. Where a "
            "classifier is named, it is asked as well: it can take a name back and never gives one. It must have been "
            "trained with this model pack before such a version can come into force."
        ),
    )
    requires_pin = models.BooleanField(
        _("PIN required"), default=False, help_text=_("A claim needs the person's PIN as well as the face.")
    )
    attempts_before_delay = models.PositiveSmallIntegerField(
        _("failed claims before a delay"),
        default=_POLICY.attempts_before_delay,
        validators=[validators.MinValueValidator(1), validators.MaxValueValidator(100)],
        help_text=_("Of one person at one checkpoint, in a row."),
    )
    first_delay_s = models.FloatField(
        _("first delay in seconds"),
        default=_POLICY.first_delay_s,
        validators=_DELAY,
        help_text=_("Doubles with each further failed claim."),
    )
    longest_delay_s = models.FloatField(
        _("longest delay in seconds"), default=_POLICY.longest_delay_s, validators=_DELAY
    )
    attempts_before_stop = models.PositiveSmallIntegerField(
        _("failed claims before a stop"),
        default=_POLICY.attempts_before_stop,
        validators=[validators.MinValueValidator(2), validators.MaxValueValidator(1000)],
        help_text=_("Then the person is locked out here until staff lift it."),
    )
    reason = models.TextField(_("reason for the change"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("proposed by"),
    )
    created_at = models.DateTimeField(_("proposed"), auto_now_add=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("approved or rejected by"),
    )
    decided_at = models.DateTimeField(_("approved or rejected"), null=True, editable=False)
    effective_from = models.DateTimeField(
        _("in force from"), null=True, blank=True, help_text=_("Empty: as soon as it is approved.")
    )
    activated_at = models.DateTimeField(_("in force since"), null=True, editable=False)
    retired_at = models.DateTimeField(_("in force until"), null=True, editable=False)
    returns_to = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("returns to"),
        help_text=_("The earlier version whose numbers this one repeats."),
    )

    class Meta:
        verbose_name = _("threshold policy")
        verbose_name_plural = _("threshold policy")
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["pack"],
                condition=Q(state="active", checkpoint__isnull=True),
                name="one_active_policy_a_pack",
            ),
            models.UniqueConstraint(
                fields=["pack", "checkpoint"],
                condition=Q(state="active", checkpoint__isnull=False),
                name="one_active_policy_a_pack_and_checkpoint",
            ),
            models.CheckConstraint(
                condition=Q(votes_needed__lte=F("votes_of")) & Q(votes_of__lt=F("votes_needed") * 2),
                name="votes_needed_are_a_majority",
                violation_error_message=_(
                    "Votes needed must be more than half of the last votes, and not more than all."
                ),
            ),
            models.CheckConstraint(
                condition=Q(identification_threshold__range=(-1, 1)) & Q(verification_threshold__range=(-1, 1)),
                name="thresholds_are_similarities",
            ),
            models.CheckConstraint(
                condition=Q(attempts_before_delay__lt=F("attempts_before_stop"))
                & Q(first_delay_s__lte=F("longest_delay_s")),
                name="a_delay_comes_before_the_stop",
                violation_error_message=_(
                    "The stop must come after the delay begins, and the longest delay must not be below the first."
                ),
            ),
        ]
        permissions = [("approve_thresholdpolicy", _("Can approve, reject and return to threshold policies"))]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.version}"

    def as_policy(self) -> Policy:
        """The value object that the decision package works with."""
        gates = QualityGates(**{name: getattr(self, name) for name in QualityGates.__dataclass_fields__})
        numbers = {
            name: getattr(self, name) for name in Policy.__dataclass_fields__ if name not in {"gates", "strategy"}
        }
        return Policy(**numbers, strategy=Strategy(self.strategy), gates=gates)
