"""Parts of an image that are looked at by themselves, and one look at a face in them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from recognition.vision import geometry
from recognition.vision.interfaces import FaceDetector
from recognition.vision.model_packs import LandmarkView
from recognition.vision.types import BoundingBox, DetectedFace, ImageBgr, Size

SAME_FACE_IOU = 0.4
"""Finds of two looks that overlap more are one face."""

LARGEST_FACE_PX = 200.0
"""A larger face is reduced before it is looked at: bilinear sampling of a face of 1,000 pixels into 112
leaves most of it out, and moved the vectors of four portraits to cosine 0.94 to 0.99 of these."""

REGION_CONTEXT = 3.0
"""What is reduced with the face: more than any view or kept crop needs."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of an image.

    Args:
        image_bgr: that part, scaled.
        scale: of the part over the image.
        x: left edge of the part in the image.
        y: upper edge of the part in the image.
    """

    image_bgr: ImageBgr
    scale: float
    x: int
    y: int

    @classmethod
    def around(
        cls,
        image_bgr: ImageBgr,
        box: BoundingBox,
        *,
        context: float = REGION_CONTEXT,
        face_px: float = LARGEST_FACE_PX,
    ) -> Part:
        """The surroundings of a face, reduced where it is larger than `face_px`.

        Raises:
            InvalidArray: when the box is outside of the image.
        """
        scale = min(face_px / max(box.width, box.height), 1.0)
        region = box.grown(context).clipped_to(Size.of(image_bgr))
        x, y = int(region.x_min), int(region.y_min)
        part = image_bgr[y : math.ceil(region.y_max), x : math.ceil(region.x_max)]
        return cls(geometry.resized(part, scale), scale, x, y)

    def of_image(self, face: DetectedFace) -> DetectedFace:
        """A face of the image in pixels of the part."""
        return face.transformed(scale=self.scale, dx=-self.x * self.scale, dy=-self.y * self.scale)

    def in_image(self, face: DetectedFace) -> DetectedFace:
        """A face of the part in pixels of the image."""
        return face.transformed(scale=1 / self.scale, dx=self.x, dy=self.y)

    def seen(
        self,
        detector: FaceDetector,
        face: DetectedFace,
        view: LandmarkView,
        tilt_degrees: float = 0.0,
        *,
        least_iou: float = SAME_FACE_IOU,
    ) -> DetectedFace | None:
        """A face as the detector sees it in one view.

        Args:
            detector: that looks.
            face: in pixels of the part.
            view: how it is cut out.
            tilt_degrees: what is tilted clockwise by so much stands upright in the view.
            least_iou: a find that overlaps the face less is somebody else.

        Returns:
            The face in pixels of the part; None when the detector does not see it there.
        """
        scale = max(face.box.width, face.box.height) * view.context / view.side_px
        shift = view.shift_px * scale
        middle = face.box.transformed(scale=1.0, dx=shift, dy=shift)
        square = geometry.crop_square(
            self.image_bgr, middle, context=view.context, side_px=view.side_px, tilt_degrees=tilt_degrees
        )
        if view.mirrored:
            square = np.ascontiguousarray(square[:, ::-1])
        half = view.side_px * scale / 2
        x, y = middle.middle_xy
        best: tuple[float, DetectedFace] | None = None
        for found in detector.detect(square):
            unmirrored = geometry.mirrored(found, view.side_px) if view.mirrored else found
            here = unmirrored.transformed(scale=scale, dx=x - half, dy=y - half)
            if tilt_degrees:
                here = geometry.turned_back(here, tilt_degrees, (x, y))
            iou = here.box.iou(face.box)
            if iou >= least_iou and (best is None or iou > best[0]):
                best = iou, here
        return best[1] if best else None
