"""Who changed what; the database refuses to change or remove an entry."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext_lazy as _


class AuditAction(models.TextChoices):
    """The closed list of changes that are recorded."""

    PERSON_ENROLLED = "person.enrolled", _("person enrolled")
    PERSON_CHANGED = "person.changed", _("person changed")
    PERSON_DELETED = "person.deleted", _("person deleted")
    PERSON_ERASURE_WAITS = "person.erasure_waits", _("erasure waits for a legal hold")
    PERSON_ERASED = "person.erased", _("person erased")
    BASIS_RECORDED = "legal_basis.recorded", _("legal basis recorded")
    BASIS_WITHDRAWN = "legal_basis.withdrawn", _("legal basis withdrawn")
    HOLD_PLACED = "legal_hold.placed", _("legal hold placed")
    HOLD_LIFTED = "legal_hold.lifted", _("legal hold lifted")
    PERSON_MERGED = "person.merged", _("two people merged")
    PERSON_SPLIT = "person.split", _("person split in two")
    PERSON_MOVE_UNDONE = "person.move_undone", _("merge or split undone")
    PERSON_PHOTOS_REMOVED = "person.photos_removed", _("photos removed, templates kept")
    PERSON_PHOTOS_KEPT = "person.photos_kept", _("photos are kept from now on")
    SAMPLE_ADDED = "sample.added", _("sample added")
    SAMPLE_STATUS_CHANGED = "sample.status_changed", _("sample status changed")
    SAMPLE_DELETED = "sample.deleted", _("sample deleted")
    PEOPLE_TOLD_APART = "people.told_apart", _("two people told apart")
    PEOPLE_NOT_TOLD_APART = "people.not_told_apart", _("two people no longer told apart")
    POLICY_CHANGED = "policy.changed", _("threshold policy changed")
    POLICY_PROPOSED = "policy.proposed", _("threshold policy proposed")
    POLICY_APPROVED = "policy.approved", _("threshold policy approved")
    POLICY_REJECTED = "policy.rejected", _("threshold policy rejected")
    POLICY_ACTIVATED = "policy.activated", _("threshold policy in force")
    POLICY_RETIRED = "policy.retired", _("threshold policy of a checkpoint out of force")
    CHECKPOINT_SAVED = "checkpoint.saved", _("checkpoint changed")
    GROUP_SAVED = "person_group.saved", _("group of people changed")
    GROUP_DELETED = "person_group.deleted", _("group of people deleted")
    PERSON_PIN_SET = "person.pin_set", _("PIN set")
    DENY_LIST_ADDED = "deny_list.added", _("put on the deny list")
    DENY_LIST_REMOVED = "deny_list.removed", _("taken off the deny list")
    KIOSK_CODE_MADE = "kiosk.code_made", _("pairing code made")
    KIOSK_PAIRED = "kiosk.paired", _("kiosk paired")
    KIOSK_REMOVED = "kiosk.removed", _("kiosk removed")
    LOCKOUT_LIFTED = "lockout.lifted", _("lockout lifted")
    EVENT_OVERRIDDEN = "event.overridden", _("decision overridden")
    REVIEW_DRAWN = "review.drawn", _("events drawn for review")
    VERDICT_GIVEN = "verdict.given", _("verdict given")
    EVENTS_EXPORTED = "events.exported", _("recognition events exported")
    FILTER_SAVED = "event_filter.saved", _("filter of events saved")
    FILTER_DELETED = "event_filter.deleted", _("filter of events deleted")
    EVENT_HELD = "event_hold.placed", _("hold placed on an event")
    EVENT_HOLD_LIFTED = "event_hold.lifted", _("hold on an event lifted")
    RETENTION_CHANGED = "retention.changed", _("retention changed")
    RETENTION_APPLIED = "retention.applied", _("removed after its time")
    ALERT_ACKNOWLEDGED = "alert.acknowledged", _("alert acknowledged")
    PACK_ACTIVATED = "pack.activated", _("model pack activated")
    PACK_MEASURED = "pack.measured", _("thresholds measured")
    IMPORT_UPLOADED = "import.uploaded", _("import uploaded")
    IMPORT_DISCARDED = "import.discarded", _("import discarded")
    VIDEO_UPLOADED = "video.uploaded", _("video uploaded")
    VIDEO_DOWNLOADED = "video.downloaded", _("video downloaded")
    VIDEO_DELETED = "video.deleted", _("video deleted")
    JOB_REQUESTED = "job.requested", _("job asked for")
    JOB_CANCELLED = "job.cancelled", _("job cancelled")
    BACKUP_MADE = "backup.made", _("backup made")
    BACKUP_RESTORED = "backup.restored", _("backup restored")
    GALLERY_EXPORTED = "gallery.exported", _("gallery exported")
    GALLERY_IMPORTED = "gallery.imported", _("gallery imported")
    USER_CREATED = "user.created", _("account made")
    USER_CHANGED = "user.changed", _("account changed")
    USER_DELETED = "user.deleted", _("account deleted")
    USER_PASSWORD_SET = "user.password_set", _("password of an account set")
    ROLE_SAVED = "role.saved", _("role changed")
    ROLE_DELETED = "role.deleted", _("role deleted")
    UNKNOWN_ASSIGNED = "unknown.assigned", _("unknown person assigned to somebody")
    UNKNOWN_ENROLLED = "unknown.enrolled", _("person made of an unknown one")
    UNKNOWN_SPLIT = "unknown.split", _("unknown person split in two")
    UNKNOWN_MERGED = "unknown.merged", _("unknown people merged")
    UNKNOWN_IGNORED = "unknown.ignored", _("unknown person ignored")
    UNKNOWN_MOVE_UNDONE = "unknown.move_undone", _("decision on an unknown person undone")
    CLASSIFIER_TRAINED = "classifier.trained", _("classifier trained")
    CLASSIFIER_PRUNED = "classifier.pruned", _("what is gone removed from a classifier")


class AuditEntry(models.Model):
    """One change, written in the same transaction as the change itself."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("time"), auto_now_add=True, db_index=True)
    action = models.CharField(_("action"), max_length=50, choices=AuditAction.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("who"),
        help_text=_("Empty for the command line."),
    )
    subject = models.CharField(_("subject"), max_length=100, help_text=_("Kind and number."))
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["subject"], name="audit_by_subject"),
            models.Index(
                KeyTransform("person", "details"),
                condition=Q(subject__startswith="facesample:"),
                name="audit_of_samples_by_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
