"""Pictures for a data set from a camera: judges each and aligns the face of a good one; nothing is stored."""

from __future__ import annotations

import dataclasses

from recognition.decision import guidance
from recognition.decision.guidance import Advice
from recognition.services import analysis, enrolment
from recognition.vision import alignment, images
from recognition.vision.errors import ImageError


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one picture is good for.

    Args:
        advice: what to tell whoever stands there; `TAKE` when the picture is good.
        aligned_jpeg: its face, 112 x 112; empty of a picture that is not good.
    """

    advice: Advice
    aligned_jpeg: bytes = b""


def look(*, data: bytes) -> Look:
    """Judges a picture by the gates that refuse samples; every pose is welcome.

    Args:
        data: the picture as it came from the camera.

    Raises:
        AnalyserUnavailable: when no worker can look at the picture.
        NoActivePack: when no model pack was activated.
    """
    try:
        faces = analysis.analyse(data)
        face, faults = enrolment.chosen_face(faces=faces, gates=enrolment.active_gates())
        if face is None:
            return Look(guidance.of_faults(faults))
        aligned = alignment.align(images.decode(data), face.face.landmarks)
    except ImageError:
        return Look(Advice.UNREADABLE)
    return Look(Advice.TAKE, images.encode_jpeg(aligned))
