"""The quality of a sample or an event, as the admin shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

SCORES = {
    "UnifiedQualityScore": _("Unified quality score"),
    "Sharpness": _("Sharpness"),
    "IlluminationUniformity": _("Even light on both cheeks"),
    "LuminanceMean": _("Brightness"),
    "LuminanceVariance": _("Contrast"),
    "UnderExposurePrevention": _("Not underexposed"),
    "OverExposurePrevention": _("Not overexposed"),
    "DynamicRange": _("Dynamic range"),
    "HeadPoseYaw": _("Not turned aside"),
    "HeadPosePitch": _("Not raised or lowered"),
    "HeadPoseRoll": _("Not tilted"),
    "InterEyeDistance": _("Distance of the eyes"),
    "HeadSize": _("Size of the head in the picture"),
    "LeftwardCropOfTheFaceImage": _("Room on the left"),
    "RightwardCropOfTheFaceImage": _("Room on the right"),
    "MarginAboveOfTheFaceImage": _("Room above"),
    "MarginBelowOfTheFaceImage": _("Room below"),
}
"""OFIQ's names in words, in the order of `vision.types.QualityScores`; a test compares."""

MEASUREMENTS = {
    "face_size_px": _("Face size, px"),
    "inter_eye_distance_px": _("Distance of the eyes, px"),
    "detection_score": _("Detection score"),
    "sharpness": _("Variance of the Laplacian"),
    "luminance_mean": _("Mean grey level, 0 to 1"),
    "yaw_degrees": _("Turn to the side, degrees"),
    "pitch_degrees": _("Nod, degrees"),
    "roll_degrees": _("Tilt, degrees"),
    "visible_fraction": _("Share inside the picture"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Args:
        name: in words.
        text: the number.
    """

    name: str
    text: str


def tables(quality: Mapping[str, Any]) -> SafeString:
    """Both tables of a stored quality; what was stored before there were scores has the second alone."""
    scores = quality.get("scores", {})
    context = {
        "scores": [Row(str(name), str(scores[code])) for code, name in SCORES.items() if code in scores],
        "measurements": [
            Row(str(name), f"{quality[code]:g}") for code, name in MEASUREMENTS.items() if code in quality
        ],
    }
    return render_to_string("admin/recognition/quality.html", context)
