"""What people said of decisions afterwards, and what was drawn for them to look at.

The database refuses every change of these rows (see migration 0017): a verdict is taken back by another one, and
rates that were measured with the numbers of a draw can be computed again.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.core import validators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from recognition.decision.reviews import ReviewVerdict, Stratum
from recognition.models.events import RecognitionEvent
from recognition.models.searching import words

VERDICT_LABELS = {
    ReviewVerdict.TRUE_MATCH: _("True match"),
    ReviewVerdict.FALSE_MATCH: _("False match"),
    ReviewVerdict.TRUE_NON_MATCH: _("True non-match"),
    ReviewVerdict.FALSE_NON_MATCH: _("False non-match"),
    ReviewVerdict.SPOOF: _("Spoof"),
    ReviewVerdict.CANNOT_TELL: _("Cannot tell"),
}

STRATUM_LABELS = {
    Stratum.OVERRIDE: _("overridden by staff"),
    Stratum.NEAR_THRESHOLD: _("near the threshold"),
    Stratum.ACCEPT: _("accepted, drawn at random"),
    Stratum.REFUSAL: _("refused, drawn at random"),
}

_SHARE = [validators.MinValueValidator(0.0), validators.MaxValueValidator(1.0)]


class ReviewBatch(models.Model):
    """Events that were drawn for review at one time."""

    since = models.DateTimeField(_("decided from"))
    until = models.DateTimeField(_("decided before"))
    width = models.FloatField(
        _("near the threshold"),
        validators=_SHARE,
        help_text=_("Largest distance of the similarity from the threshold that decided."),
    )
    second_share = models.FloatField(
        _("asked twice"), validators=_SHARE, help_text=_("Share of the events that a second person looks at too, 0..1.")
    )
    seed = models.BigIntegerField(_("seed"), help_text=_("With it the same events are drawn again."))
    drawn_at = models.DateTimeField(_("drawn"))
    drawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["-pk"]
        default_permissions = ("add", "view")
        constraints = [
            models.CheckConstraint(condition=Q(since__lt=F("until")), name="a_review_begins_before_it_ends"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ReviewStratum(models.Model):
    """One group of events of a batch; an event drawn from it stands for `population / size` events."""

    batch = models.ForeignKey(ReviewBatch, models.PROTECT, related_name="strata", verbose_name=_("review"))
    code = models.CharField(
        _("group"), max_length=20, choices=[(code.value, text) for code, text in STRATUM_LABELS.items()]
    )
    population = models.PositiveIntegerField(_("events in the time"))
    size = models.PositiveIntegerField(_("events drawn"))

    class Meta:
        verbose_name = _("group of a review")
        verbose_name_plural = _("groups of a review")
        ordering = ["pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["batch", "code"], name="one_group_of_a_kind_a_review"),
            models.CheckConstraint(
                condition=Q(size__lte=F("population")), name="no_more_events_are_drawn_than_there_are"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.code}"

    @property
    def weight(self) -> float | None:
        """How many events one that was drawn stands for; None where none was drawn."""
        return self.population / self.size if self.size else None


class ReviewItem(models.Model):
    """One event that was drawn."""

    batch = models.ForeignKey(ReviewBatch, models.PROTECT, related_name="items", verbose_name=_("review"))
    stratum = models.ForeignKey(ReviewStratum, models.PROTECT, related_name="items", verbose_name=_("group"))
    event = models.ForeignKey(RecognitionEvent, models.CASCADE, related_name="review_items", verbose_name=_("event"))
    position = models.PositiveIntegerField(_("position"), help_text=_("Drawn by lot, across the groups."))
    asks_second = models.BooleanField(_("asked twice"))

    class Meta:
        verbose_name = _("event of a review")
        verbose_name_plural = _("events of a review")
        ordering = ["position"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["batch", "event"], name="an_event_is_in_a_review_once"),
            models.UniqueConstraint(fields=["batch", "position"], name="one_event_a_position"),
        ]

    def __str__(self) -> str:
        return f"{self.batch} {self.position}"


class Verdict(models.Model):
    """What one person said of one event; the event stays as it is."""

    event = models.ForeignKey(RecognitionEvent, models.CASCADE, related_name="verdicts", verbose_name=_("event"))
    code = models.CharField(
        _("verdict"), max_length=20, choices=[(code.value, text) for code, text in VERDICT_LABELS.items()]
    )
    note = models.TextField(_("note"), blank=True)
    item = models.ForeignKey(
        ReviewItem,
        models.CASCADE,
        null=True,
        related_name="verdicts",
        verbose_name=_("event of a review"),
        help_text=_("Empty for a verdict that no review asked for."),
    )
    reading = models.PositiveSmallIntegerField(
        _("reading"), null=True, help_text=_("1 for the first person whom the review asked, 2 for the second.")
    )
    supersedes = models.OneToOneField(
        "self",
        models.CASCADE,
        null=True,
        related_name="superseded_by",
        verbose_name=_("takes back"),
        help_text=_("The verdict that the same person gave before."),
    )
    contradicts = models.BooleanField(
        _("contradicts"),
        default=False,
        help_text=_("Whether somebody else had said otherwise before, and stands by it or not."),
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("verdict")
        verbose_name_plural = _("verdicts")
        ordering = ["-at", "-pk"]
        default_permissions = ("add", "view")
        indexes = [
            GinIndex(words("note"), condition=~Q(note=""), name="verdict_words"),
            models.Index(fields=["event"], condition=Q(contradicts=True), name="verdict_contradicts"),
            models.Index(fields=["code", "event"], name="verdict_code"),
        ]
        permissions = [("set_aside_false_match", _("Can set aside the sample of a false match"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(code__in=[code.value for code in ReviewVerdict]), name="a_verdict_is_a_known_one"
            ),
            models.CheckConstraint(
                condition=Q(item=None, reading=None) | Q(item__isnull=False, reading__isnull=False),
                name="an_answer_has_a_reading",
            ),
            models.UniqueConstraint(
                fields=["item", "reading"], condition=Q(supersedes=None), name="one_person_a_reading"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_code_display()}"
