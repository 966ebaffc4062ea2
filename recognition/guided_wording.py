"""What the guided enrolment says to whoever stands before the camera: left is their left."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from recognition.decision.coverage import Pose
from recognition.decision.guidance import Advice

_INSTRUCTIONS = {
    Pose.FRONT: _("Look straight into the camera"),
    Pose.LEFT: _("Turn your head to your left"),
    Pose.RIGHT: _("Turn your head to your right"),
    Pose.UP: _("Raise your chin"),
    Pose.DOWN: _("Lower your chin"),
}

_ADVICE = {
    Advice.TAKE: _("Taken."),
    Advice.UNREADABLE: _("The camera's picture could not be read. Try another camera if this stays."),
    Advice.COME_INTO_VIEW: _("No face is seen. Bring your face into the oval."),
    Advice.ONE_PERSON: _("Several faces are seen. Only one person may be in the picture."),
    Advice.CLOSER: _("Come closer."),
    Advice.WHOLE_FACE: _("Part of your face is outside. Move into the middle."),
    Advice.MORE_LIGHT: _("Your face is too dark. Turn towards a light."),
    Advice.LESS_LIGHT: _("Your face is too bright. Turn away from the light."),
    Advice.HOLD_STILL: _("Hold still."),
    Advice.CLEARER: _("Your face is not clear. Uncover it and look at the camera."),
    Advice.TURN_BACK: _("That is too far. Turn back a little."),
    Advice.LOOK_STRAIGHT: _("Look straight into the camera."),
    Advice.TURN_LEFT: _("Turn further to your left."),
    Advice.TURN_RIGHT: _("Turn further to your right."),
    Advice.LOOK_UP: _("Raise your chin further."),
    Advice.LOOK_DOWN: _("Lower your chin further."),
    Advice.HEAD_LEVEL: _("Keep your head level: neither raise nor lower your chin."),
    Advice.FACE_FORWARD: _("Turn your face to the front, and keep your chin where it is."),
}


def instruction(pose: Pose) -> str:
    """What to do for a pose."""
    return str(_INSTRUCTIONS[pose])


def advice_sentence(advice: Advice) -> str:
    """What to do now."""
    return str(_ADVICE[advice])
