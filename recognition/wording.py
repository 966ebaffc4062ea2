"""Sentences for stored codes, made when they are shown, in the reader's language."""

from __future__ import annotations

import math

from django.utils.translation import gettext_lazy as _

from recognition.decision.policy import QualityFault, SampleReason
from recognition.vision.errors import ImageError, ImageTooLarge
from recognition.vision.images import STILL_LIMITS

_SENTENCES = {
    SampleReason.UNREADABLE: _("This is not an image that can be read, or it is damaged. Use JPEG, PNG or WebP."),
    SampleReason.IMAGE_TOO_LARGE: _("The image is too large: over %(megabytes)d MB or %(megapixels)d megapixels."),
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

_DIGITS = {
    SampleReason.LOW_DETECTION_SCORE: 2,
    SampleReason.TOO_DARK: 2,
    SampleReason.TOO_BRIGHT: 2,
    SampleReason.FACE_CLIPPED: 2,
}

_MAXIMUMS = {SampleReason.TOO_BRIGHT, SampleReason.EXTREME_POSE, SampleReason.MULTIPLE_FACES}


def fault_sentence(fault: QualityFault) -> str:
    """Why an image or a face was not used, and what to do.

    The measured value is rounded away from the limit, and the limit towards it, so that a face of 47.6
    pixels is said to have 47 where 48 are needed, never 48.

    Args:
        fault: the gate with what was measured and required.
    """
    digits = _DIGITS.get(fault.reason, 0)
    too_much = fault.reason in _MAXIMUMS
    numbers = {
        "has": _rounded(fault.measured, digits, up=too_much),
        "needs": _rounded(fault.required, digits, up=not too_much),
        "megabytes": STILL_LIMITS.max_bytes // 2**20,
        "megapixels": STILL_LIMITS.max_pixels // 10**6,
    }
    return str(_SENTENCES[fault.reason]) % numbers


def image_fault(error: ImageError) -> QualityFault:
    """The fault that a file has which could not be read."""
    too_large = isinstance(error, ImageTooLarge)
    return QualityFault(SampleReason.IMAGE_TOO_LARGE if too_large else SampleReason.UNREADABLE, 0, 0)


def _rounded(value: float, digits: int, *, up: bool) -> str:
    # Ten more digits than shown take back what binary fractions add: 0.12 * 100 is above 12.
    shifted = round(value * 10**digits, 10)
    return f"{(math.ceil if up else math.floor)(shifted) / 10**digits:.{digits}f}"
