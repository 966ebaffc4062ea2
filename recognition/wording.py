"""Sentences for stored codes, made when they are shown, in the reader's language."""

from __future__ import annotations

import decimal
import itertools
import math
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recognition.decision.coverage import Light, Pose
from recognition.decision.doubts import Doubt, DoubtReason
from recognition.decision.matching import Objection
from recognition.decision.policy import QualityFault, SampleReason
from recognition.decision.standing import Bar
from recognition.decision.verdict import Reason, TransactionReason
from recognition.vision.errors import ImageError, ImageTooLarge, TooManyBytes

_SENTENCES = {
    SampleReason.UNREADABLE: _("This is not an image that can be read, or it is damaged. Use JPEG, PNG or WebP."),
    SampleReason.IMAGE_TOO_LARGE: _("The file is too large: %(has)s MB, at most %(needs)s. Save it smaller."),
    SampleReason.TOO_MANY_PIXELS: _("The image is too large: %(has)s megapixels, at most %(needs)s. Save it smaller."),
    SampleReason.NO_FACE: _("No face was found. Use a photo in which the face is clear."),
    SampleReason.MULTIPLE_FACES: _("%(has)s faces were found. Use a photo of this person alone."),
    SampleReason.FACE_TOO_SMALL: _("The face is too small: %(has)s px, needs %(needs)s px. Come closer."),
    SampleReason.LOW_DETECTION_SCORE: _("The face is not clear enough: %(has)s, needs %(needs)s."),
    SampleReason.LOW_SHARPNESS: _("The face is blurred: sharpness %(has)s, needs %(needs)s. Hold still."),
    SampleReason.TOO_DARK: _("The face is too dark: brightness %(has)s, needs %(needs)s. Add light."),
    SampleReason.TOO_BRIGHT: _("The face is too bright: brightness %(has)s, at most %(needs)s."),
    SampleReason.EXTREME_POSE: _("The face is turned away: %(has)s degrees, at most %(needs)s. Look here."),
    SampleReason.FACE_CLIPPED: _("Part of the face is outside: %(has)s visible, needs %(needs)s."),
    SampleReason.DUPLICATE_SAMPLE: _("This very file is enrolled for this person already."),
}

_DOUBTS = {
    DoubtReason.IDENTITY_CONFLICT: _(
        "The face is like %(other)s, more than like %(person)s: similarity %(has)s, doubtful from %(needs)s."
    ),
    DoubtReason.OWN_OUTLIER: _(
        "The face is unlike every other photo of %(person)s: similarity %(has)s at most, doubtful below %(needs)s."
    ),
    DoubtReason.DUPLICATE_SAMPLE: _(
        "It is nearly the same picture as one that is enrolled: similarity %(has)s, doubtful from %(needs)s."
    ),
}

_DOUBT_LABELS = {
    DoubtReason.IDENTITY_CONFLICT: _("like somebody else"),
    DoubtReason.OWN_OUTLIER: _("unlike the person's other photos"),
    DoubtReason.DUPLICATE_SAMPLE: _("nearly the same picture again"),
}

_POSES = {
    Pose.FRONT: _("front"),
    Pose.LEFT: _("left"),
    Pose.RIGHT: _("right"),
    Pose.UP: _("up"),
    Pose.DOWN: _("down"),
}

_LIGHTS = {Light.DARK: _("dark"), Light.NORMAL: _("normal"), Light.BRIGHT: _("bright")}

_DIGITS = {
    SampleReason.IMAGE_TOO_LARGE: 1,
    SampleReason.TOO_MANY_PIXELS: 1,
    SampleReason.LOW_DETECTION_SCORE: 2,
    SampleReason.TOO_DARK: 2,
    SampleReason.TOO_BRIGHT: 2,
    SampleReason.FACE_CLIPPED: 2,
}

_MAXIMUMS = {
    SampleReason.IMAGE_TOO_LARGE,
    SampleReason.TOO_MANY_PIXELS,
    SampleReason.TOO_BRIGHT,
    SampleReason.EXTREME_POSE,
    SampleReason.MULTIPLE_FACES,
}

_MEASURED = {
    SampleReason.FACE_TOO_SMALL,
    SampleReason.LOW_DETECTION_SCORE,
    SampleReason.LOW_SHARPNESS,
    SampleReason.TOO_DARK,
    SampleReason.TOO_BRIGHT,
    SampleReason.EXTREME_POSE,
    SampleReason.FACE_CLIPPED,
}

_SIZE_NOT_STORED = _("The file is too large. Save it smaller.")
"""Before it was kept with the reason, both numbers were 0."""

_UNMEASURED = _("The face could not be measured. Use another photo.")

_BARS = {
    Bar.DENY_LIST: _("The person is on the deny list."),
    Bar.SUSPENDED: _("The person is suspended."),
    Bar.NOT_YET_VALID: _("The person may not pass yet: “valid from” is later."),
    Bar.NO_LONGER_VALID: _("The person may no longer pass: “valid until” is over."),
    Bar.WRONG_GROUP: _("The person belongs to none of the groups that may pass here."),
}

_TRANSACTIONS = {
    TransactionReason.BELOW_THRESHOLD: _("The similarity %(has)s is below the threshold %(needs)s."),
    TransactionReason.MARGIN_TOO_SMALL: _(
        "The margin %(has)s to the next person is below the %(needs)s that is required."
    ),
    TransactionReason.MAY_BE_DENIED: _("One of the people it may have been is on the deny list."),
    TransactionReason.NOBODY_ENROLLED: _("Nobody was enrolled to compare with."),
    TransactionReason.CLAIM_UNKNOWN: _("Nobody has the claimed id."),
    TransactionReason.PIN_WRONG: _("The PIN was wrong, or none was typed."),
    TransactionReason.PIN_NOT_SET: _("A PIN is required, but the person has none."),
    TransactionReason.NO_TEMPLATE: _(
        "There was no face of the person to compare with, or they were removed meanwhile."
    ),
    TransactionReason.NO_FACE: _("No face was seen."),
    TransactionReason.SEVERAL_FACES: _("Several people stood before the camera."),
    TransactionReason.VOTES_DISAGREE: _("The time was up before enough votes agreed: %(count)s of %(of)s."),
    TransactionReason.LEFT: _("The face left before enough votes agreed, or the attempt was given up."),
    TransactionReason.LOCKED_UNTIL: _(
        "The claimed person is locked out here after %(count)s failed claims in a row, for another %(of)s seconds."
    ),
    TransactionReason.LOCKED_BY_STOP: _(
        "The claimed person is locked out here after %(count)s failed claims in a row, until staff lift it."
    ),
    TransactionReason.OUT_OF_USE: _("The checkpoint was taken out of use before the end."),
    TransactionReason.MODE_CHANGED: _("The mode of the checkpoint was changed before the end."),
    TransactionReason.NO_THRESHOLDS: _("A model pack without measured thresholds came into use before the end."),
    TransactionReason.NOT_ANALYSED: _("Pictures came from the camera, but recognition did not answer."),
    TransactionReason.NO_PICTURE: _("No pictures came from the camera."),
    TransactionReason.SERVER_STOPPED: _("The server was stopped before the end."),
    TransactionReason.FROM_VIDEO: _("Seen in a video file, first %(seconds)s seconds after its beginning."),
}

_OBJECTIONS = {
    Objection.OTHER_PEOPLE: _("Similar enough, but the classifier takes the face for one of the other people."),
    Objection.ANOTHER_PERSON: _("Similar enough, but the classifier takes the face for another person."),
    Objection.NOT_LEARNED: _("Similar enough, but the classifier has not learned this person yet. Train it again."),
    Objection.NO_CLASSIFIER: _(
        "Similar enough, but the policy asks a classifier, and none can be used: it was never trained with this model "
        "pack, or is damaged. Train it."
    ),
}

_SHOWN_DIGITS = 3
"""Digits of a similarity that are shown; more only where two numbers would look the same."""


_JOB_ERRORS = {
    "no_active_pack": _("No model pack is active, so there is nothing to compare with. Run faceweb models use."),
    "no_thresholds": _(
        "The active model pack has no measured thresholds, so nothing says who may be taken for whom. Measure it with "
        "faceweb evaluate pairs, then ask again."
    ),
    "upload_gone": _("The upload is no longer there. Upload it again."),
    "pack_switched": _(
        "The model pack was switched while photos were looked at. What was enrolled before stays; go on with the rest."
    ),
    "pack_unusable": _(
        "The active model pack cannot be loaded where jobs run; faceweb models says what is missing. Then ask again."
    ),
    "pack_gone": _("The model pack that was to be tried out is no longer there."),
    "other_pack_unusable": _(
        "The model pack %(pack)s cannot be loaded where jobs run; faceweb models says there what is missing. Then try "
        "it out again."
    ),
    "nobody_to_learn": _("Nobody is enrolled whom a search may find, so there is nobody to learn."),
    "too_many_people_to_learn": _(
        "%(count)d people are enrolled, and classifiers learn at most %(limit)d. Use another matching in the policy."
    ),
    "too_many_samples_to_learn": _(
        "%(count)d samples are enrolled, and classifiers learn at most %(limit)d. Set aside some of those who have "
        "many, or use another matching in the policy."
    ),
    "too_few_others_to_learn": _(
        "%(count)d faces of other people are known, and classifiers need %(limit)d. Group the unknown faces under "
        "Unknown people first: those are who is learned as other people."
    ),
    "too_many_alike": _(
        "More than %(most)d faces hang together, which is more than can be compared at once. Have retention remove old "
        "events, or raise the threshold of a search."
    ),
    "video_gone": _(
        "The video is no longer there: it was deleted, or somebody who is in it was erased. Upload it again."
    ),
    "video_unreadable": _(
        "The file cannot be read as a video: it is broken or cut off, in an unknown format, or its frames are larger "
        "than 8K. Play it on your own machine; if that works, save it as MP4 (H.264) and upload it again."
    ),
    "video_too_long": _(
        "The video is longer than %(minutes)s minutes (FACEWEB_VIDEO_MAX_MINUTES). Cut it, or use faceweb video on the "
        "server."
    ),
    "no_room": _(
        "There was no room left on the disk where jobs run. Delete old videos, or get more room; then try again."
    ),
    "person_gone": _("The person is no longer there."),
    "gave_up": _(
        "The process that did it was killed %(count)s times, so it was given up: it likely needs more memory than "
        "there is. The log of the jobs process says more."
    ),
    "unexpected": _("It met an error that nobody foresaw (%(error)s). The log of the jobs process says more."),
}


def job_error_sentence(code: str, parameters: Mapping[str, object]) -> str:
    """Why a job failed, and what to do.

    Args:
        code: as it was stored.
        parameters: as they were stored with it.
    """
    return str(_JOB_ERRORS[code]) % parameters


def reason_sentence(reason: Reason) -> str:
    """Why a transaction ended as it did.

    Args:
        reason: as it was stored: a gate, something against the person, or something of the transaction.
    """
    if reason.code in set(SampleReason):
        # A measurement that was not a number was stored as none.
        measured = math.nan if reason.measured is None else reason.measured
        return fault_sentence(QualityFault(SampleReason(reason.code), measured, reason.required or 0.0))
    if reason.code in set(Bar):
        return str(_BARS[Bar(reason.code)])
    if reason.code in set(Objection):
        return str(_OBJECTIONS[Objection(reason.code)])
    has = reason.measured or 0
    counts = {"count": f"{has:.0f}", "of": f"{math.ceil(reason.required or 0)}", "seconds": f"{has:.1f}"}
    numbers = {**counts, **compared(reason.measured, reason.required or 0.0)}
    return str(_TRANSACTIONS[TransactionReason(reason.code)]) % numbers


def pose_label(pose: Pose) -> str:
    """Where a face looks, in a word."""
    return str(_POSES[pose])


def light_label(light: Light) -> str:
    """How bright a face is, in a word."""
    return str(_LIGHTS[light])


def doubt_label(reason: DoubtReason) -> str:
    """A doubt in a few words."""
    return str(_DOUBT_LABELS[reason])


def doubt_sentence(doubt: Doubt, *, person: str, other: str | None) -> str:
    """Why a sample was set aside.

    Args:
        doubt: as it was stored.
        person: name of the person whose sample it is.
        other: name of the one whom it is like; None where they are no longer enrolled, or must not be shown.
    """
    names = {"person": person, "other": other if other is not None else gettext("somebody else")}
    return str(_DOUBTS[doubt.reason]) % {**names, **compared(doubt.similarity, doubt.limit)}


def compared(has: float | None, needs: float) -> dict[str, str]:
    """Two similarities as text that tells them apart: 0.4738 is not said to be below 0.474 as "0.474".

    Args:
        has: what there was; taken for 0 when it is None.
        needs: what it was held against.

    Returns:
        Both, under the names that sentences have for them.
    """
    value = 0.0 if has is None else has
    for digits in itertools.count(_SHOWN_DIGITS):
        has_text, needs_text = f"{value:.{digits}f}", f"{needs:.{digits}f}"
        if value == needs or float(has_text) != float(needs_text):
            break
    return {"has": has_text, "needs": needs_text}


def fault_sentence(fault: QualityFault) -> str:
    """Why an image or a face was not used, and what to do.

    The measured value is rounded away from the limit, and the limit towards it, so that a face of 47.6
    pixels is said to have 47 where 48 are needed, never 48.

    Args:
        fault: the gate with what was measured and required.
    """
    if fault.reason in _MEASURED and not math.isfinite(fault.measured):
        return str(_UNMEASURED)
    if fault.reason is SampleReason.IMAGE_TOO_LARGE and not fault.required:
        return str(_SIZE_NOT_STORED)
    digits = _DIGITS.get(fault.reason, 0)
    too_much = fault.reason in _MAXIMUMS
    numbers = {
        "has": _rounded(fault.measured, digits, up=too_much),
        "needs": _rounded(fault.required, digits, up=not too_much),
    }
    return str(_SENTENCES[fault.reason]) % numbers


def poor_face(faults: Iterable[QualityFault]) -> str:
    """That little can be told from a face, and why; empty for a good one."""
    sentences = [fault_sentence(fault) for fault in faults]
    return " ".join([str(_("Too poor to rely on.")), *sentences]) if sentences else ""


def image_fault(error: ImageError) -> QualityFault:
    """The fault that a file has which could not be read; sizes in MB (2^20 bytes) or megapixels."""
    if isinstance(error, TooManyBytes):
        return QualityFault(SampleReason.IMAGE_TOO_LARGE, error.measured / 2**20, error.most / 2**20)
    if isinstance(error, ImageTooLarge):
        return QualityFault(SampleReason.TOO_MANY_PIXELS, error.measured / 1e6, error.most / 1e6)
    return QualityFault(SampleReason.UNREADABLE, 0, 0)


def _rounded(value: float, digits: int, *, up: bool) -> str:
    if not math.isfinite(value):
        return ""
    # As the decimal that it is written as: what 0.12 is in binary lies above 0.12.
    written = decimal.Decimal(repr(float(value)))
    rounding = decimal.ROUND_CEILING if up else decimal.ROUND_FLOOR
    return f"{written.quantize(decimal.Decimal(1).scaleb(-digits), rounding):f}"


_DELETED = {
    "people": _("people, with those merged into them"),
    "samples": _("face samples"),
    "sample_images": _("pictures of samples"),
    "templates": _("face templates"),
    "event_crops": _("pictures of recognition events"),
    "unknown_faces": _("vectors of those pictures"),
    "classifier_parts": _("faces and machines in classifiers"),
    "waiting_photos": _("photos that waited for a choice"),
    "import_files": _("files of imports"),
    "video_appearances": _("appearances in videos"),
    "films": _("films of videos"),
    "legal_bases": _("legal bases"),
    "legal_holds": _("legal holds that were lifted"),
    "deny_list_entries": _("deny list entries"),
    "lockouts": _("lockouts"),
    "moves": _("merges and splits"),
}


def deleted_rows(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """What an erasure deleted, each kind in words with how many there were."""
    return [(deleted_label(kind), counts[kind]) for kind in _DELETED if kind in counts]


def deleted_label(kind: str) -> str:
    """A kind of what an erasure deletes, in words."""
    return str(_DELETED.get(kind, kind))
