"""Value objects of the vision package: frozen, slotted, and refusing bad input.

Coordinates are pixels of the image that the object came from, x to the right, y down.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recognition.vision.errors import InvalidArray, PackMismatch

ImageBgr: TypeAlias = NDArray[np.uint8]
"""An image of shape (height, width, 3), uint8, channels in the order blue, green, red."""

Vector: TypeAlias = NDArray[np.float32]

LANDMARK_COUNT = 5

UNIT_LENGTH_TOLERANCE = 1e-3
"""How far a stored vector's length may be from 1; float32 over 512 dimensions stays below 1e-6."""


def require_array(name: str, array: NDArray[Any], *, shape: tuple[int | None, ...], dtype: type[np.generic]) -> None:
    """Refuses an array of another shape or type than the contract says.

    Args:
        name: what the array is, for the message.
        array: the array to look at.
        shape: expected length of each axis; None stands for any length.
        dtype: expected element type.

    Raises:
        InvalidArray: naming what was expected and what came.
    """
    fits = array.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype != dtype:
        wanted = "(" + ", ".join("any" if axis is None else str(axis) for axis in shape) + ")"
        raise InvalidArray(f"{name}: expected {wanted} {np.dtype(dtype).name}, got {array.shape} {array.dtype.name}")


def require_image(image_bgr: ImageBgr) -> None:
    """Refuses anything but a non-empty (height, width, 3) uint8 image."""
    require_array("image_bgr", image_bgr, shape=(None, None, 3), dtype=np.uint8)
    if 0 in image_bgr.shape:
        raise InvalidArray(f"image_bgr: expected at least one pixel, got {image_bgr.shape}")


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """Width and height of an image, in pixels."""

    width: int
    height: int

    @classmethod
    def of(cls, image_bgr: ImageBgr) -> Size:
        """The size of a (height, width, 3) image."""
        return cls(width=image_bgr.shape[1], height=image_bgr.shape[0])


@dataclasses.dataclass(frozen=True, slots=True)
class BoundingBox:
    """An upright rectangle; it may reach beyond the image that it was found in.

    Raises:
        InvalidArray: when a coordinate is not finite or the box has no area.
    """

    x_min: float
    y_min: float
    x_max: float
    y_max: float

    def __post_init__(self) -> None:
        corners = (self.x_min, self.y_min, self.x_max, self.y_max)
        if not all(map(math.isfinite, corners)):
            raise InvalidArray(f"BoundingBox: expected finite coordinates, got {corners}")
        if self.x_max <= self.x_min or self.y_max <= self.y_min:
            raise InvalidArray(f"BoundingBox: expected min below max on both axes, got {corners}")

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x_max - self.x_min

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y_max - self.y_min

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    @property
    def shorter_side(self) -> float:
        """The shorter of width and height, in pixels: what "face size" means here."""
        return min(self.width, self.height)

    @property
    def middle_xy(self) -> tuple[float, float]:
        """Its middle."""
        return (self.x_min + self.x_max) / 2, (self.y_min + self.y_max) / 2

    def iou(self, other: BoundingBox) -> float:
        """Intersection over union with another box, 0..1."""
        width = min(self.x_max, other.x_max) - max(self.x_min, other.x_min)
        height = min(self.y_max, other.y_max) - max(self.y_min, other.y_min)
        if width <= 0 or height <= 0:
            return 0.0
        shared = width * height
        return shared / (self.area + other.area - shared)

    def visible_fraction(self, size: Size) -> float:
        """Share of the box that lies inside an image of that size, 0..1."""
        width = min(self.x_max, size.width) - max(self.x_min, 0.0)
        height = min(self.y_max, size.height) - max(self.y_min, 0.0)
        return max(width, 0.0) * max(height, 0.0) / self.area

    def clipped_to(self, size: Size) -> BoundingBox:
        """The part of the box inside an image of that size.

        Raises:
            InvalidArray: when no part of it is inside.
        """
        return BoundingBox(
            max(self.x_min, 0.0),
            max(self.y_min, 0.0),
            min(self.x_max, float(size.width)),
            min(self.y_max, float(size.height)),
        )

    def grown(self, factor: float) -> BoundingBox:
        """The box around the same centre with its sides `factor` times as long."""
        dx, dy = self.width * (factor - 1) / 2, self.height * (factor - 1) / 2
        return BoundingBox(self.x_min - dx, self.y_min - dy, self.x_max + dx, self.y_max + dy)

    def transformed(self, *, scale: float, dx: float = 0.0, dy: float = 0.0) -> BoundingBox:
        """The box in coordinates `x * scale + dx`, `y * scale + dy`."""
        return BoundingBox(
            self.x_min * scale + dx,
            self.y_min * scale + dy,
            self.x_max * scale + dx,
            self.y_max * scale + dy,
        )


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """Five points: the eye, and later mouth corner, on the image's left first.

    Args:
        points_xy: (5, 2) float32 in the order left eye, right eye, nose tip, left mouth corner,
            right mouth corner, where left and right are those of the image, turned so that the face
            stands upright.
    """

    points_xy: NDArray[np.float32]

    def __post_init__(self) -> None:
        require_array("points_xy", self.points_xy, shape=(LANDMARK_COUNT, 2), dtype=np.float32)
        if not np.isfinite(self.points_xy).all():
            raise InvalidArray("points_xy: expected finite coordinates")
        self.points_xy.flags.writeable = False

    @property
    def inter_eye_distance(self) -> float:
        """Distance between the eye centres, in pixels (OFIQ: InterEyeDistance)."""
        return math.dist(*self.points_xy[:2].tolist())

    def transformed(self, *, scale: float, dx: float = 0.0, dy: float = 0.0) -> Landmarks:
        """The points in coordinates `x * scale + dx`, `y * scale + dy`."""
        moved = self.points_xy * np.float32(scale) + np.array([dx, dy], np.float32)
        return Landmarks(moved.astype(np.float32))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A face as a detector found it.

    Args:
        box: where it is.
        landmarks: its five points.
        score: the detector's own score, 0..1; not a probability.
        tilt_degrees: by how much it is tilted clockwise, where that was looked for; it is looked at turned back then.
    """

    box: BoundingBox
    landmarks: Landmarks
    score: float
    tilt_degrees: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 1.0:
            raise InvalidArray(f"score: expected 0..1, got {self.score}")

    def transformed(self, *, scale: float, dx: float = 0.0, dy: float = 0.0) -> DetectedFace:
        """The face in coordinates `x * scale + dx`, `y * scale + dy`."""
        return DetectedFace(
            self.box.transformed(scale=scale, dx=dx, dy=dy),
            self.landmarks.transformed(scale=scale, dx=dx, dy=dy),
            self.score,
            self.tilt_degrees,
        )


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A face as a direction: a unit vector that only its own pack's vectors compare with.

    Args:
        vector: (d,) float32 of length 1; made read-only.
        pack_digest: the digest of the model pack that made it.

    Raises:
        InvalidArray: for another shape or type, or a length other than 1.
    """

    vector: Vector
    pack_digest: str

    def __post_init__(self) -> None:
        require_array("vector", self.vector, shape=(None,), dtype=np.float32)
        length = float(np.linalg.norm(self.vector))
        # Written so that NaN is refused too.
        if not abs(length - 1.0) <= UNIT_LENGTH_TOLERANCE:
            raise InvalidArray(f"vector: expected length 1, got {length:.4f}")
        self.vector.flags.writeable = False

    @classmethod
    def from_raw(cls, raw: NDArray[Any], pack_digest: str) -> Embedding:
        """Makes an embedding of a network's output of any length but zero.

        Raises:
            InvalidArray: for another number of axes, or a length of zero, or values not finite.
        """
        vector = np.array(raw, dtype=np.float32)
        length = float(np.linalg.norm(vector))
        if vector.ndim != 1 or not 0.0 < length < math.inf:
            raise InvalidArray(
                f"vector: expected (any) with a finite length above 0, got {vector.shape} of length {length}"
            )
        return cls(vector / np.float32(length), pack_digest)

    @property
    def dimension(self) -> int:
        """Number of components."""
        return int(self.vector.shape[0])

    def similarity(self, other: Embedding) -> float:
        """Cosine similarity, -1..1; higher is closer.

        Raises:
            PackMismatch: when the two come from different packs.
        """
        if self.pack_digest != other.pack_digest:
            raise PackMismatch(
                f"These two templates come from different model packs ({self.pack_digest[:12]} and "
                f"{other.pack_digest[:12]}); their similarity would mean nothing. Re-embed one of "
                "them with the other's pack."
            )
        return float(np.clip(np.dot(self.vector, other.vector), -1.0, 1.0))


@dataclasses.dataclass(frozen=True, slots=True)
class QualityScores:
    """The quality components of a face, named as in ISO/IEC 29794-5 and OFIQ, each a whole number 0..100.

    Higher is better. `recognition.vision.quality` says how each is measured.

    Raises:
        InvalidArray: for a score outside 0..100.
    """

    unified_quality_score: int
    sharpness: int
    illumination_uniformity: int
    luminance_mean: int
    luminance_variance: int
    under_exposure_prevention: int
    over_exposure_prevention: int
    dynamic_range: int
    head_pose_yaw: int
    head_pose_pitch: int
    head_pose_roll: int
    inter_eye_distance: int
    head_size: int
    leftward_crop_of_the_face_image: int
    rightward_crop_of_the_face_image: int
    margin_above_of_the_face_image: int
    margin_below_of_the_face_image: int

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not 0 <= getattr(self, field.name) <= 100:
                raise InvalidArray(f"{field.name}: expected 0..100, got {getattr(self, field.name)}")

    def as_json(self) -> dict[str, int]:
        """The scores by their OFIQ names, such as `HeadPoseYaw`."""
        return {_ofiq_name(name): score for name, score in dataclasses.asdict(self).items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, int]) -> QualityScores:
        """The inverse of `as_json`."""
        return cls(**{field.name: stored[_ofiq_name(field.name)] for field in dataclasses.fields(cls)})


def _ofiq_name(field_name: str) -> str:
    return field_name.title().replace("_", "")


@dataclasses.dataclass(frozen=True, slots=True)
class Quality:
    """What was measured of one face in one image; measurements by their OFIQ names where one exists.

    Args:
        face_size_px: shorter side of the face box (OFIQ: HeadSize is derived from it).
        inter_eye_distance_px: OFIQ InterEyeDistance.
        detection_score: the detector's score, 0..1.
        sharpness: variance of the Laplacian of the aligned grey crop, 0 and up (OFIQ: Sharpness).
        luminance_mean: mean grey level of the aligned crop, 0..1 (OFIQ: LuminanceMean).
        yaw_degrees: estimated turn, positive to the image's right (OFIQ: HeadPoseYaw).
        pitch_degrees: estimated nod, positive downwards (OFIQ: HeadPosePitch).
        roll_degrees: tilt of the eye line, positive clockwise (OFIQ: HeadPoseRoll).
        visible_fraction: share of the face box inside the image, 0..1.
        scores: its components, 0..100 each; None of a face that was not embedded.
    """

    face_size_px: float
    inter_eye_distance_px: float
    detection_score: float
    sharpness: float
    luminance_mean: float
    yaw_degrees: float
    pitch_degrees: float
    roll_degrees: float
    visible_fraction: float
    scores: QualityScores | None = None

    @property
    def score(self) -> float:
        """One number to order views of one face by, 0..1; nothing is decided by it.

        The product of size, sharpness and frontality, each saturating where more of it no longer
        helps the embedder: at its 112 pixels, at the sharpness of a focused webcam, at 0 degrees.
        """
        size = min(self.face_size_px / 112.0, 1.0)
        sharp = min(self.sharpness / 200.0, 1.0)
        turned = math.radians(min(math.hypot(self.yaw_degrees, self.pitch_degrees), 90.0))
        return size * sharp * math.cos(turned)

    def measurements_json(self) -> dict[str, float]:
        """The measurements rounded to what they are good for."""
        names = [field.name for field in dataclasses.fields(self) if field.name != "scores"]
        return {name: round(getattr(self, name), 3) for name in names}

    def as_json(self) -> dict[str, Any]:
        """The measurements and, where there are any, the `scores`."""
        scores = {"scores": self.scores.as_json()} if self.scores else {}
        return {**self.measurements_json(), **scores}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Quality:
        """The inverse of `as_json`; what was stored before there were scores has none."""
        scores = stored.get("scores")
        return cls(**{**stored, "scores": QualityScores.from_json(scores) if scores else None})


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class EmbeddedFace:
    """A face with everything that was learned of it.

    Args:
        face: where it was found, with the landmarks that it was aligned by.
        quality: what was measured of it.
        embedding: its vector.
        crop_jpeg: the face with some surroundings as a JPEG, for people to look at.
    """

    face: DetectedFace
    quality: Quality
    embedding: Embedding
    crop_jpeg: bytes
