"""The numbers that turn similarities into decisions, as one immutable value."""

from __future__ import annotations

import dataclasses
import enum

from recognition.decision.matching import Strategy
from recognition.vision.types import Quality

LONGEST_DELAY_S = 30 * 86_400.0
"""Most that a lockout may last by itself; who is to stay out longer is stopped until staff lift it."""


class SampleReason(enum.StrEnum):
    """Why an image, or a face in it, is not used as a sample."""

    UNREADABLE = "unreadable"
    IMAGE_TOO_LARGE = "image_too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    NO_FACE = "no_face"
    MULTIPLE_FACES = "multiple_faces"
    FACE_TOO_SMALL = "face_too_small"
    LOW_DETECTION_SCORE = "low_detection_score"
    LOW_SHARPNESS = "low_sharpness"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    EXTREME_POSE = "extreme_pose"
    FACE_CLIPPED = "face_clipped"
    DUPLICATE_SAMPLE = "duplicate_sample"


@dataclasses.dataclass(frozen=True, slots=True)
class QualityFault:
    """One gate that a face did not pass.

    Args:
        reason: which gate.
        measured: what the face has, in the unit of the gate.
        required: the gate's limit; a minimum or, for too_bright and extreme_pose, a maximum.
    """

    reason: SampleReason
    measured: float
    required: float


@dataclasses.dataclass(frozen=True, slots=True)
class QualityGates:
    """What a face must have to be compared at all; limits are inclusive.

    Args:
        min_face_size_px: shorter side of the face box, in pixels of the image as it came.
        min_detection_score: the detector's score, 0..1.
        min_sharpness: variance of the Laplacian of the aligned crop.
        min_luminance: mean grey level of the aligned crop, 0..1.
        max_luminance: the same, upper end.
        max_yaw_degrees: turn to either side.
        max_pitch_degrees: nod up or down.
        min_visible_fraction: share of the face box inside the image, 0..1.
    """

    min_face_size_px: float = 48.0
    min_detection_score: float = 0.7
    min_sharpness: float = 20.0
    min_luminance: float = 0.12
    max_luminance: float = 0.92
    max_yaw_degrees: float = 60.0
    max_pitch_degrees: float = 45.0
    min_visible_fraction: float = 0.85

    def faults(self, quality: Quality) -> tuple[QualityFault, ...]:
        """The gates that a face does not pass, the most helpful to mend first; empty when good."""
        reason = SampleReason
        minimums = (
            (reason.FACE_TOO_SMALL, quality.face_size_px, self.min_face_size_px),
            (reason.FACE_CLIPPED, quality.visible_fraction, self.min_visible_fraction),
            (reason.TOO_DARK, quality.luminance_mean, self.min_luminance),
            (reason.LOW_SHARPNESS, quality.sharpness, self.min_sharpness),
            (reason.LOW_DETECTION_SCORE, quality.detection_score, self.min_detection_score),
        )
        maximums = (
            (reason.TOO_BRIGHT, quality.luminance_mean, self.max_luminance),
            (reason.EXTREME_POSE, abs(quality.yaw_degrees), self.max_yaw_degrees),
            (reason.EXTREME_POSE, abs(quality.pitch_degrees), self.max_pitch_degrees),
        )
        # "not >=" and not "<", so that a measurement that is NaN is a fault too.
        below = [QualityFault(*gate) for gate in minimums if not gate[1] >= gate[2]]
        above = [QualityFault(*gate) for gate in maximums if not gate[1] <= gate[2]]
        return tuple(below + above)


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """One version of the threshold policy.

    Args:
        version: number that events keep.
        identification_threshold: similarity from which a 1:N search names a person, -1..1.
        verification_threshold: similarity from which a 1:1 comparison confirms a claim, -1..1.
        margin: least gap between the best person and the next, 0..2.
        votes_needed: k, votes that must agree.
        votes_of: n, last votes that are looked at.
        timeout_s: seconds after which a track without a decision gets none.
        reembed_interval_s: seconds after which a decided track is looked at again.
        gates: what a face must have to be compared.
        strategy: how templates found become ranked people.
        requires_pin: whether a claim needs the person's PIN beside the face.
        attempts_before_delay: failed claims in a row from which the next one has to wait, 1 and up.
        first_delay_s: that wait in seconds; it doubles with each further failure.
        longest_delay_s: seconds above which it grows no more, up to `LONGEST_DELAY_S`.
        attempts_before_stop: failed claims in a row from which staff must lift the lock.

    Raises:
        ValueError: when a number is outside its range, k of n cannot be reached or is not a majority,
            or a claim would be stopped before it is delayed.
    """

    version: int
    identification_threshold: float
    verification_threshold: float
    margin: float = 0.05
    votes_needed: int = 3
    votes_of: int = 5
    timeout_s: float = 8.0
    reembed_interval_s: float = 1.0
    gates: QualityGates = dataclasses.field(default_factory=QualityGates)
    strategy: Strategy = Strategy.NEAREST
    requires_pin: bool = False
    attempts_before_delay: int = 5
    first_delay_s: float = 30.0
    longest_delay_s: float = 3600.0
    attempts_before_stop: int = 20

    def __post_init__(self) -> None:
        for name in ("identification_threshold", "verification_threshold"):
            value = getattr(self, name)
            if not -1.0 <= value <= 1.0:
                raise ValueError(f"{name}: expected -1..1, got {value}")
        if not 0.0 <= self.margin <= 2.0:
            raise ValueError(f"margin: expected 0..2, got {self.margin}")
        if not self.votes_of / 2 < self.votes_needed <= self.votes_of:
            raise ValueError(
                f"votes: expected a majority, got {self.votes_needed} of {self.votes_of}; with "
                "less than a majority two people could both win"
            )
        if not (self.timeout_s > 0 and self.reembed_interval_s > 0):
            raise ValueError("timeout_s and reembed_interval_s: expected above 0")
        if not 1 <= self.attempts_before_delay < self.attempts_before_stop:
            raise ValueError(
                "attempts_before_delay: expected at least 1 and below attempts_before_stop, got "
                f"{self.attempts_before_delay} and {self.attempts_before_stop}"
            )
        if not 0 < self.first_delay_s <= self.longest_delay_s <= LONGEST_DELAY_S:
            raise ValueError(
                "first_delay_s and longest_delay_s: expected above 0, rising, up to "
                f"{LONGEST_DELAY_S:.0f}, got {self.first_delay_s} and {self.longest_delay_s}"
            )
