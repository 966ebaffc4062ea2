"""A few words for each reason of a transaction, where a list has no room for its sentence."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from recognition.decision.matching import Objection
from recognition.decision.policy import SampleReason
from recognition.decision.standing import Bar
from recognition.decision.verdict import TransactionReason

REASON_LABELS = {
    TransactionReason.BELOW_THRESHOLD: _("below the threshold"),
    TransactionReason.MARGIN_TOO_SMALL: _("margin too small"),
    TransactionReason.MAY_BE_DENIED: _("may be on the deny list"),
    TransactionReason.NOBODY_ENROLLED: _("nobody enrolled"),
    TransactionReason.CLAIM_UNKNOWN: _("claimed id unknown"),
    TransactionReason.PIN_WRONG: _("PIN wrong"),
    TransactionReason.PIN_NOT_SET: _("PIN not set"),
    TransactionReason.NO_TEMPLATE: _("no face to compare with"),
    TransactionReason.NO_FACE: _("no face seen"),
    TransactionReason.SEVERAL_FACES: _("several people"),
    TransactionReason.VOTES_DISAGREE: _("votes disagree"),
    TransactionReason.LEFT: _("left"),
    TransactionReason.LOCKED_UNTIL: _("locked out for a time"),
    TransactionReason.LOCKED_BY_STOP: _("locked out until lifted"),
    TransactionReason.OUT_OF_USE: _("checkpoint out of use"),
    TransactionReason.MODE_CHANGED: _("mode changed"),
    TransactionReason.NO_THRESHOLDS: _("no measured thresholds"),
    TransactionReason.NOT_ANALYSED: _("recognition did not answer"),
    TransactionReason.NO_PICTURE: _("no picture from the camera"),
    TransactionReason.SERVER_STOPPED: _("server stopped"),
    TransactionReason.FROM_VIDEO: _("from a video file"),
    Objection.OTHER_PEOPLE: _("one of the other people, says the classifier"),
    Objection.ANOTHER_PERSON: _("another person, says the classifier"),
    Objection.NOT_LEARNED: _("not learned by the classifier yet"),
    Objection.NO_CLASSIFIER: _("no classifier that can be used"),
    Bar.DENY_LIST: _("on the deny list"),
    Bar.SUSPENDED: _("suspended"),
    Bar.NOT_YET_VALID: _("not yet valid"),
    Bar.NO_LONGER_VALID: _("no longer valid"),
    Bar.WRONG_GROUP: _("in no group that may pass"),
    SampleReason.UNREADABLE: _("image unreadable"),
    SampleReason.IMAGE_TOO_LARGE: _("image too large"),
    SampleReason.TOO_MANY_PIXELS: _("image of too many pixels"),
    SampleReason.NO_FACE: _("no face in the image"),
    SampleReason.MULTIPLE_FACES: _("several faces in the image"),
    SampleReason.FACE_TOO_SMALL: _("face too small"),
    SampleReason.LOW_DETECTION_SCORE: _("face not clear"),
    SampleReason.LOW_SHARPNESS: _("face blurred"),
    SampleReason.TOO_DARK: _("too dark"),
    SampleReason.TOO_BRIGHT: _("too bright"),
    SampleReason.EXTREME_POSE: _("face turned away"),
    SampleReason.FACE_CLIPPED: _("face partly outside"),
    SampleReason.DUPLICATE_SAMPLE: _("enrolled already"),
}
"""By code; no two of the four lists have a code in common."""
