from __future__ import annotations

import numpy as np
import pytest

from recognition.vision import model_packs
from recognition.vision.backends import mtcnn
from recognition.vision.backends.mtcnn import MtcnnDetector
from recognition.vision.errors import InvalidArray
from recognition.vision.runtimes.onnxruntime import OnnxRuntimeSession
from recognition.vision.types import BoundingBox
from tests import faces
from tests.fakes import FakeSession

Outputs = tuple[np.ndarray, ...]

STILL = np.zeros(4, np.float32)
POINTS = np.array([0.3, 0.7, 0.5, 0.35, 0.65, 0.4, 0.4, 0.6, 0.8, 0.8], np.float32)
"""Shares of a square: five x, then five y."""


def proposes(*places: tuple[int, int], offsets: np.ndarray = STILL, score: float = 0.9) -> FakeSession:
    """A P-Net that takes these (column, row) of the finest level for faces, and nothing of the other levels."""
    finest: list[int] = []

    def compute(batch: np.ndarray) -> Outputs:
        rows, columns = ((side - mtcnn.WINDOW_PX) // 2 + 1 for side in batch.shape[2:])
        probabilities = np.zeros((1, 2, rows, columns), np.float32)
        if not finest:
            finest.append(rows)
            for column, row in places:
                probabilities[0, 1, row, column] = score
        return np.broadcast_to(offsets[None, :, None, None], (1, 4, rows, columns)), probabilities

    return FakeSession(compute=compute)


def judges(*scores: float, offsets: np.ndarray = STILL, points: bool = False) -> FakeSession:
    """An R-Net, or with points an O-Net, that gives the squares these scores in turn."""

    def compute(batch: np.ndarray) -> Outputs:
        count = len(batch)
        right = np.resize(np.array(scores, np.float32), count)
        answers = np.tile(offsets, (count, 1)), np.stack([1 - right, right], axis=1)
        return (np.tile(POINTS, (count, 1)), *answers) if points else answers

    return FakeSession(compute=compute)


IMAGE = np.full((120, 160, 3), 90, np.uint8)


def detector(p_net: FakeSession, r_net: FakeSession, o_net: FakeSession) -> MtcnnDetector:
    return MtcnnDetector(p_net, r_net, o_net, minimum_score=0.6)


class TestTheCascade:
    def test_asks_the_larger_networks_nothing_where_the_smallest_sees_nothing(self) -> None:
        r_net, o_net = judges(0.9), judges(0.9, points=True)
        assert detector(proposes(), r_net, o_net).detect(IMAGE) == ()
        assert (r_net.runs, o_net.runs) == (0, 0)

    def test_puts_a_window_of_the_finest_level_back_into_the_image(self) -> None:
        (face,) = detector(proposes((10, 6)), judges(0.9), judges(0.95, points=True)).detect(IMAGE)
        # 12 pixels at 0.6 are 20; the window steps by two pixels of its level.
        assert face.box == BoundingBox(33, 20, 53, 40)
        assert face.score == pytest.approx(0.95)
        np.testing.assert_allclose(
            face.landmarks.points_xy, [[39, 28], [47, 28], [43, 32], [40, 36], [46, 36]], atol=1e-4
        )

    @pytest.mark.parametrize(
        ("p_score", "r_score", "o_score", "found"),
        [(0.61, 0.71, 0.61, 1), (0.59, 0.9, 0.9, 0), (0.9, 0.69, 0.9, 0), (0.9, 0.9, 0.59, 0)],
    )
    def test_drops_what_one_network_does_not_take_for_a_face(
        self, p_score: float, r_score: float, o_score: float, found: int
    ) -> None:
        networks = proposes((10, 6), score=p_score), judges(r_score), judges(o_score, points=True)
        assert len(detector(*networks).detect(IMAGE)) == found

    def test_moves_edges_by_shares_of_the_sides_and_makes_squares_in_between(self) -> None:
        # A window from (33.3, 20) to (53.3, 40), of which P-Net takes the left quarter away: 15 wide, 20 high, and
        # the square of 20 around its middle begins at 36. O-Net takes half of that away at the bottom.
        p_net = proposes((10, 6), offsets=np.array([0.25, 0, 0, 0], np.float32))
        o_net = judges(0.9, offsets=np.array([0, 0, 0, -0.5], np.float32), points=True)
        (face,) = detector(p_net, judges(0.9), o_net).detect(IMAGE)
        assert face.box == BoundingBox(36, 20, 56, 30)
        # Landmarks are shares of the square as O-Net saw it.
        assert face.landmarks.points_xy[2].tolist() == pytest.approx([46, 32])

    def test_keeps_one_face_of_candidates_that_overlap_and_two_of_such_that_do_not(self) -> None:
        places = ((10, 6), (11, 6), (30, 20))
        found = detector(proposes(*places), judges(0.9), judges(0.7, 0.8, points=True)).detect(IMAGE)
        assert [round(face.score, 1) for face in found] == [0.8, 0.7]
        assert found[0].box.iou(found[1].box) == 0.0

    @pytest.mark.parametrize("offsets", [[2, 0, -2, 0], [0, 0.99, 0, 0], [np.nan, 0, 0, 0]])
    def test_drops_candidates_without_an_area(self, offsets: list[float]) -> None:
        wild = np.array(offsets, np.float32)
        assert detector(proposes((10, 6)), judges(0.9), judges(0.9, offsets=wild, points=True)).detect(IMAGE) == ()
        assert detector(proposes((10, 6), offsets=wild), judges(0.9), judges(0.9, points=True)).detect(IMAGE) == ()

    def test_looks_at_no_more_candidates_than_it_says(self) -> None:
        image = np.zeros((700, 700, 3), np.uint8)
        places = tuple((column, row) for column in range(0, 200, 5) for row in range(0, 200, 5))
        batches: list[int] = []

        def compute(batch: np.ndarray) -> Outputs:
            batches.append(len(batch))
            return np.zeros((len(batch), 4), np.float32), np.zeros((len(batch), 2), np.float32)

        detector(proposes(*places), FakeSession(compute=compute), judges(0.9, points=True)).detect(image)
        assert batches == [mtcnn.MOST_CANDIDATES]

    def test_gives_the_networks_red_before_blue_and_about_minus_one_to_one(self) -> None:
        seen: list[np.ndarray] = []

        def compute(batch: np.ndarray) -> Outputs:
            seen.append(batch)
            return np.zeros((1, 4, 1, 1), np.float32), np.zeros((1, 2, 1, 1), np.float32)

        red = np.zeros((20, 20, 3), np.uint8)
        red[..., 2] = 255
        detector(FakeSession(compute=compute), judges(0.9), judges(0.9, points=True)).detect(red)
        assert seen[0].shape == (1, 3, 12, 12)
        assert seen[0][0, :, 0, 0].tolist() == pytest.approx([0.996, -0.996, -0.996], abs=1e-3)


@pytest.fixture(scope="module")
def real() -> MtcnnDetector:
    pack = model_packs.mtcnn_pack()
    p_net, r_net, o_net = (OnnxRuntimeSession(pack.file(role)) for role in ("detector", "r_net", "o_net"))
    return MtcnnDetector(p_net, r_net, o_net, minimum_score=0.6)


class TestWithTheRealNetworks:
    @pytest.mark.parametrize("shape", [(0, 0, 3), (10, 10), (10, 10, 4)])
    def test_refuses_what_is_no_image(self, real: MtcnnDetector, shape: tuple[int, ...]) -> None:
        with pytest.raises(InvalidArray):
            real.detect(np.zeros(shape, np.uint8))

    @pytest.mark.parametrize("shape", [(1, 1), (1, 640), (19, 500), (20, 20), (240, 320)])
    def test_finds_no_face_on_a_blank_image_of_any_size(self, real: MtcnnDetector, shape: tuple[int, int]) -> None:
        assert real.detect(np.full((*shape, 3), 127, np.uint8)) == ()

    def test_finds_five_of_the_six_people_of_a_group_best_score_first(self, real: MtcnnDetector) -> None:
        found = real.detect(faces.group())
        assert len(found) >= faces.PEOPLE_IN_GROUP - 1  # one is in profile
        assert [face.score for face in found] == sorted((face.score for face in found), reverse=True)

    def test_sees_the_landmarks_where_yunet_sees_them(self, real: MtcnnDetector) -> None:
        (expected,) = faces.default_pipeline().find(faces.astronaut())
        (face,) = real.detect(faces.astronaut())
        assert face.box.iou(expected.box) > 0.6
        off = np.linalg.norm(face.landmarks.points_xy - expected.landmarks.points_xy, axis=1)
        assert off.max() < 0.15 * expected.landmarks.inter_eye_distance

    def test_says_what_runs_it(self, real: MtcnnDetector) -> None:
        assert real.runtime.startswith("onnxruntime")
