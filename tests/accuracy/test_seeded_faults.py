"""Faults planted among real people: how many each check finds, and how many good samples it doubts.

The good ones are every image of the people of view 1 with three or more; each is held against all others as a new
sample would be. `pytest -s` prints the counts.
"""

from __future__ import annotations

import collections
import io
import random
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from recognition.decision import doubts
from recognition.decision.doubts import DoubtReason, Neighbour
from recognition.decision.policy import Policy, QualityGates, SampleReason
from recognition.evaluation import lfw_protocol
from recognition.evaluation.lfw_protocol import ImageName
from recognition.management import evaluating
from recognition.management.data_sets import DataSet
from recognition.services import enrolment
from recognition.vision import images, model_packs
from recognition.vision.types import EmbeddedFace, ImageBgr, Size
from tests import faces, shared_data
from tests.shared_data import LFW_IMAGES

pytestmark = [pytest.mark.accuracy, pytest.mark.usefixtures("embeds_once"), shared_data.needed]

LEAST_IMAGES = 3
LEAST_FOUND = 0.9
MOST_DOUBTED = 0.02

_VERIFICATION, _IDENTIFICATION = (
    next(point.threshold for point in model_packs.OPENCV_ZOO_OPERATING_POINTS if point.fmr == fmr)
    for fmr in (1e-4, 1e-5)
)
POLICY = Policy(
    version=1, identification_threshold=_IDENTIFICATION, verification_threshold=_VERIFICATION
)  # as a new installation decides


class Gallery:
    """Everybody's good samples, as the checks see them."""

    def __init__(self, names: Sequence[ImageName], vectors: NDArray[np.float32]) -> None:
        self.names = names
        self.people = sorted({name.person for name in names})
        self.vectors = vectors
        self._owner = np.array([self.people.index(name.person) for name in names])

    def reasons(self, vector: NDArray[np.float32], person: str, *, but: Sequence[int] = ()) -> tuple[DoubtReason, ...]:
        """What speaks against a vector as a new sample of a person; `but` are samples that are not there."""
        similarities = self.vectors @ vector
        similarities[list(but)] = -np.inf
        owner = self.people.index(person)
        found = doubts.find(
            own=self._closest(similarities, self._owner == owner),
            other=self._closest(similarities, self._owner != owner),
            policy=POLICY,
        )
        return tuple(doubt.reason for doubt in found)

    def _closest(self, similarities: NDArray[np.float32], among: NDArray[np.bool_]) -> Neighbour | None:
        place = int(np.where(among, similarities, -np.inf).argmax())
        if not np.isfinite(similarities[place]) or not among[place]:
            return None
        return Neighbour(int(self._owner[place]), place, float(similarities[place]))


@pytest.fixture(scope="module")
def names() -> tuple[ImageName, ...]:
    found = DataSet(LFW_IMAGES).found()
    counts = collections.Counter(name.person for name in found)
    return tuple(name for name in found if counts[name.person] >= LEAST_IMAGES)


@pytest.fixture
def gallery(names: tuple[ImageName, ...]) -> Gallery:
    embedded = evaluating.embedded(faces.default_pipeline(), DataSet(LFW_IMAGES), names, quiet=True)
    assert set(embedded) == set(names)
    return Gallery(names, np.stack([embedded[name].vector for name in names]))


@pytest.fixture
def seeded(names: tuple[ImageName, ...]) -> list[ImageName]:
    """The images that are spoilt, in an order that is the same each time."""
    return random.Random(7).sample(list(names), 100)  # noqa: S311  # a choice that can be repeated


def photo(name: ImageName) -> ImageBgr:
    return images.decode((LFW_IMAGES / name.path).read_bytes())


def enrolled(image_bgr: ImageBgr, *, clicked: bool = False) -> tuple[EmbeddedFace | None, list[SampleReason]]:
    """The face that enrolment takes of a photo, or why it takes none; `clicked` is the one in the middle."""
    pipeline = faces.default_pipeline()
    found = pipeline.find(image_bgr, tilt_guess=0.0)  # as `worker.processing.photo` does
    chosen = lfw_protocol.central_face(found, Size.of(image_bgr)).box if clicked else None
    face, faults = enrolment.chosen_face(faces=pipeline.embed(image_bgr, found), gates=QualityGates(), chosen=chosen)
    return face, [fault.reason for fault in faults]


def found_of(total: int, count: int, what: str) -> float:
    print(f"{what}: {count} of {total}")
    return count / total


def test_good_samples_are_seldom_doubted(gallery: Gallery) -> None:
    counted: collections.Counter[str] = collections.Counter()
    for place, name in enumerate(gallery.names):
        reasons = gallery.reasons(gallery.vectors[place], name.person, but=[place])
        counted.update(reasons)
        counted["any"] += bool(reasons)
    assert found_of(len(gallery.names), counted["any"], f"good samples set aside {dict(counted)}") <= MOST_DOUBTED


def test_swapped_samples_are_set_aside(gallery: Gallery, seeded: list[ImageName]) -> None:
    rng = random.Random(11)  # noqa: S311  # a choice that can be repeated
    found = conflicts = 0
    for name in seeded[:20]:
        place = gallery.names.index(name)
        wrong = rng.choice([person for person in gallery.people if person != name.person])
        # It is not at its right place, too: it was swapped, not copied.
        reasons = gallery.reasons(gallery.vectors[place], wrong, but=[place])
        found += bool(reasons)
        conflicts += DoubtReason.IDENTITY_CONFLICT in reasons
    assert found_of(20, found, f"swapped samples set aside ({conflicts} name the other)") >= LEAST_FOUND


def saved_again(image_bgr: ImageBgr) -> ImageBgr:
    """Cut a little tighter, made smaller, and compressed harder, as a messenger does."""
    cut = image_bgr[8:-8, 8:-8]
    smaller = cv2.resize(cut, None, fx=0.85, fy=0.85, interpolation=cv2.INTER_AREA)
    return images.decode(images.encode_jpeg(np.asarray(smaller, np.uint8), 60))


def test_near_duplicates_are_set_aside(gallery: Gallery, seeded: list[ImageName]) -> None:
    found = 0
    for name in seeded[20:40]:
        face, _ = enrolled(saved_again(photo(name)), clicked=True)
        assert face is not None
        found += DoubtReason.DUPLICATE_SAMPLE in gallery.reasons(face.embedding.vector, name.person)
    assert found_of(20, found, "near-duplicates set aside") >= LEAST_FOUND


def beside(one: ImageBgr, other: ImageBgr) -> ImageBgr:
    return np.hstack([one, other])


def tiny(image_bgr: ImageBgr) -> ImageBgr:
    return np.asarray(cv2.resize(image_bgr, (90, 90), interpolation=cv2.INTER_AREA), np.uint8)


def blurred(image_bgr: ImageBgr) -> ImageBgr:
    return np.asarray(cv2.GaussianBlur(image_bgr, (0, 0), 5.0), np.uint8)


def test_group_photos_are_never_taken_for_one_person(seeded: list[ImageName]) -> None:
    found = 0
    for name, companion in zip(seeded[40:60], seeded[60:80], strict=True):
        _, reasons = enrolled(beside(photo(name), photo(companion)))
        found += SampleReason.MULTIPLE_FACES in reasons
    assert found_of(20, found, "group photos refused") == 1.0


@pytest.mark.parametrize(
    ("spoil", "reason", "chosen"),
    [
        (tiny, SampleReason.FACE_TOO_SMALL, slice(80, 90)),
        (blurred, SampleReason.LOW_SHARPNESS, slice(90, 100)),
    ],
)
def test_tiny_and_blurred_faces_are_refused_with_the_reason(
    seeded: list[ImageName], spoil: Callable[[ImageBgr], ImageBgr], reason: SampleReason, chosen: slice
) -> None:
    refused = told = 0
    for name in seeded[chosen]:
        face, reasons = enrolled(spoil(photo(name)))
        refused += face is None
        told += reason in reasons
    found_of(10, told, f"{spoil.__name__} faces refused as {reason.value}")
    assert found_of(10, refused, f"{spoil.__name__} faces refused") >= LEAST_FOUND


def turned(name: ImageName, orientation: int) -> bytes:
    """The photo as a camera that was held otherwise stores it: turned pixels, and how to turn them back."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    with Image.open(LFW_IMAGES / name.path) as image:
        image.transpose(undo[orientation]).save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


def test_ten_photos_turned_by_exif_are_enrolled_like_the_others(gallery: Gallery, seeded: list[ImageName]) -> None:
    for number, name in enumerate(seeded[:10]):
        face, reasons = enrolled(images.decode(turned(name, 2 + number % 7)), clicked=True)
        assert face is not None, reasons
        upright = gallery.vectors[gallery.names.index(name)]
        assert float(face.embedding.vector @ upright) > 0.97
