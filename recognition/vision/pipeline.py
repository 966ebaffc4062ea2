"""From an image to faces with vectors: find, measure, embed.

The detector's input scale follows the size of the face, everywhere by the same rule:

- to *find* faces the image is scaled so that the smallest face asked for has `FIND_FACE_PX`;
- to *embed* a face, its surroundings are scaled so that the face has the size at which the
  detector's landmarks are most precise (`LandmarkView`), and the landmarks are taken there.

So a face gets the same landmarks, and hence the same vector, whether it comes from a webcam frame,
an upload or an evaluation. A face that is known to be tilted is looked at upright for that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.vision import alignment, geometry, images, quality, search
from recognition.vision.alignment import Cut
from recognition.vision.interfaces import FaceDetector, FaceEmbedder
from recognition.vision.model_packs import LandmarkView
from recognition.vision.types import (
    BoundingBox,
    DetectedFace,
    EmbeddedFace,
    Embedding,
    ImageBgr,
    Landmarks,
    Quality,
    Size,
    require_image,
)
from recognition.vision.views import SAME_FACE_IOU, Part

WARM_UP_FACE_PX = 48.0
"""The default policy's smallest face, which decides the scale of webcam frames."""

NEAR_CONTEXT = 2.25
"""Side of what is searched around a face over that of its box. A face that moved so far that it is cut off there
overlaps where it was by less than `tracking.MINIMUM_IOU`, and is not the one looked for anyway."""

NEAR_FACE_PX = 56.0
"""Size that a larger face is reduced to before it is looked for around where it was, so that 126 pixels are searched:
enough for landmarks as good as those of `find` (docs/adr/0014-looking-around-tracks.md)."""

CROP_JPEG_QUALITY = 90


@dataclasses.dataclass(frozen=True, slots=True)
class Crop:
    """How much of the image is kept with a face.

    Args:
        context: side of the square over the longer side of the face box.
        side_px: side of the kept picture.
    """

    context: float
    side_px: int


PROBE_CROP = Crop(context=1.8, side_px=192)
"""For people to look at: the face with hair and chin, at a size that an auditor can judge."""

SAMPLE_CROP = Crop(context=2.5, side_px=400)
"""For people and for the next model pack: enough surroundings and pixels to embed the face anew."""


class FacePipeline:
    """One model pack at work. Safe to call from several threads at once."""

    def __init__(
        self,
        *,
        pack_digest: str,
        detector: FaceDetector,
        embedder: FaceEmbedder,
        landmark_views: tuple[LandmarkView, ...],
        cut: Cut = alignment.ARCFACE_CUT,
    ) -> None:
        """Puts the parts together; `recognition.wiring` is the place that chooses them."""
        self.pack_digest = pack_digest
        self._detector = detector
        self._embedder = embedder
        self._landmark_views = landmark_views
        self._cut = cut

    @property
    def runtime(self) -> str:
        """What really runs the two networks."""
        parts = dict.fromkeys((self._detector.runtime, self._embedder.runtime))
        return ", ".join(parts)

    def dimension(self) -> int:
        """Length of the vectors, by embedding a black crop; also warms the embedder up."""
        side = self._cut.side_px
        return int(self._embedder.embed(np.zeros((1, side, side, 3), np.uint8)).shape[1])

    def warm_up(self) -> None:
        """Runs the networks once on the sizes met most, so that the first face does not wait."""
        frame = np.zeros((480, 640, 3), np.uint8)
        self.find(frame, smallest_face_px=WARM_UP_FACE_PX, coarser=False)
        for view in self._landmark_views:
            self._detector.detect(np.zeros((view.side_px, view.side_px, 3), np.uint8))
        self.dimension()

    def find(
        self,
        image_bgr: ImageBgr,
        *,
        smallest_face_px: float = search.STILL_SMALLEST_FACE_PX,
        coarser: bool = True,
        tilt_guess: float | None = None,
    ) -> tuple[DetectedFace, ...]:
        """Finds faces.

        Args:
            image_bgr: (height, width, 3) uint8 in the order blue, green, red.
            smallest_face_px: faces smaller than this may be missed.
            coarser: also searches at half, a quarter... of that scale, so that a face which fills
                the image is found too.
            tilt_guess: None for faces that stand about upright; a number for faces of any tilt, those tilted clockwise
                by so many degrees first, which costs nothing more where one of them is there.

        Returns:
            The faces in pixels of the image, best score first.
        """
        return search.find(
            self._detector,
            image_bgr,
            smallest_face_px=smallest_face_px,
            coarser=coarser,
            tilt_guess=tilt_guess,
        )

    def find_near(self, image_bgr: ImageBgr, boxes: Sequence[BoundingBox]) -> tuple[DetectedFace, ...]:
        """Finds faces around where they were a moment ago, in a fraction of the time that `find` takes.

        Args:
            image_bgr: (height, width, 3) uint8 in the order blue, green, red.
            boxes: of the faces; each at least partly inside the image.

        Returns:
            The faces in pixels of the image, best score first; one that is cut off at the edge of what was searched may
            be among them, and one elsewhere is not.

        Raises:
            InvalidArray: when a box is outside.
        """
        require_image(image_bgr)
        found: list[DetectedFace] = []
        for box in boxes:
            part = Part.around(image_bgr, box, context=NEAR_CONTEXT, face_px=NEAR_FACE_PX)
            found.extend(part.in_image(face) for face in self._detector.detect(part.image_bgr))
        return geometry.non_maximum_suppression(found, SAME_FACE_IOU)

    def measure(self, image_bgr: ImageBgr, face: DetectedFace) -> Quality:
        """Measures a face that `find` found in the same image, without running a network."""
        crop = alignment.align(image_bgr, face.landmarks)
        return quality.measure(face, crop, Size.of(image_bgr))

    def embed(
        self, image_bgr: ImageBgr, faces: Sequence[DetectedFace], *, kept: Crop = PROBE_CROP
    ) -> tuple[EmbeddedFace, ...]:
        """Embeds faces that `find` found in the same image.

        Args:
            image_bgr: (height, width, 3) uint8 in the order blue, green, red.
            faces: in pixels of that image.
            kept: how much of the image is kept with each face.

        Returns:
            One embedded face for each, in the same order, with the landmarks it was aligned by.
        """
        if not faces:
            return ()
        parts = [Part.around(image_bgr, face.box) for face in faces]
        placed = [self._placed(part, face) for part, face in zip(parts, faces, strict=True)]
        crops = np.stack(
            [alignment.align(part.image_bgr, face.landmarks) for part, face in zip(parts, placed, strict=True)]
        )
        vectors = self._embedder.embed(self._cuts(parts, placed, crops))
        size = Size.of(image_bgr)
        return tuple(
            self._embedded(part, face, crop, vector, size, kept)
            for part, face, crop, vector in zip(parts, placed, crops, vectors, strict=True)
        )

    def _cuts(
        self, parts: Sequence[Part], faces: Sequence[DetectedFace], crops: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        """What the embedder gets: mostly the crops that the quality is measured in."""
        if self._cut == alignment.ARCFACE_CUT:
            return crops
        return np.stack([self._cut.of(part.image_bgr, face) for part, face in zip(parts, faces, strict=True)])

    def _embedded(
        self,
        part: Part,
        placed: DetectedFace,
        crop: NDArray[np.uint8],
        vector: NDArray[np.float32],
        size: Size,
        kept: Crop,
    ) -> EmbeddedFace:
        face = part.in_image(placed)
        square = geometry.crop_square(
            part.image_bgr,
            placed.box,
            context=kept.context,
            side_px=kept.side_px,
            tilt_degrees=placed.tilt_degrees,
        )
        return EmbeddedFace(
            face,
            quality.assess(face, crop, size),
            Embedding.from_raw(vector, self.pack_digest),
            images.encode_jpeg(square, CROP_JPEG_QUALITY),
        )

    def _placed(self, part: Part, face: DetectedFace) -> DetectedFace:
        """The face in pixels of the part, with the landmarks that it is aligned by."""
        here = part.of_image(face)
        seen = [part.seen(self._detector, here, view, here.tilt_degrees) for view in self._landmark_views]
        points = [look.landmarks.points_xy for look in seen if look is not None]
        if not points:
            return here
        return dataclasses.replace(here, landmarks=Landmarks(np.mean(points, axis=0).astype(np.float32)))
