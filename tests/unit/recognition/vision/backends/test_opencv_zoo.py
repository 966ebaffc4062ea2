from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from recognition.vision import model_packs
from recognition.vision.backends import opencv_zoo
from recognition.vision.backends.opencv_zoo import SFaceEmbedder, YuNetDetector
from recognition.vision.errors import InvalidArray
from recognition.vision.runtimes.onnxruntime import OnnxRuntimeSession
from tests import faces
from tests.fakes import FakeSession


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("prepared")
    pack = model_packs.opencv_zoo_pack()
    edits = {"detector": opencv_zoo.prepared_yunet, "embedder": opencv_zoo.prepared_sface}
    for file in pack.files:
        onnx.save(edits[file.role](onnx.load(file.path)), folder / f"{file.role}.onnx")
    return {role: folder / f"{role}.onnx" for role in edits}


@pytest.fixture(scope="module")
def detector(prepared: dict[str, Path]) -> YuNetDetector:
    return YuNetDetector(OnnxRuntimeSession(prepared["detector"]), minimum_score=0.6)


@functools.cache
def crops() -> np.ndarray:
    return np.stack([cv2.resize(faces.astronaut()[62:172, 172:282], (112, 112)), faces.tom_hanks()])


class TestYuNetDetector:
    @pytest.mark.parametrize("shape", [(0, 0, 3), (10, 10), (10, 10, 4)])
    def test_refuses_what_is_no_image(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(InvalidArray):
            YuNetDetector(FakeSession(), minimum_score=0.6).detect(np.zeros(shape, np.uint8))

    def test_finds_no_face_on_a_blank_image(self, detector: YuNetDetector) -> None:
        assert detector.detect(np.full((240, 320, 3), 127, np.uint8)) == ()

    def test_finds_the_six_people_of_a_group_best_score_first(self, detector: YuNetDetector) -> None:
        found = detector.detect(faces.group())
        assert len(found) == faces.PEOPLE_IN_GROUP
        assert [face.score for face in found] == sorted((face.score for face in found), reverse=True)

    def test_puts_the_landmarks_into_the_face_in_their_order(self, detector: YuNetDetector) -> None:
        (face,) = detector.detect(faces.astronaut())
        left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks.points_xy
        assert left_eye[0] < nose[0] < right_eye[0]
        assert left_mouth[0] < right_mouth[0]
        assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
        assert face.box.x_min < left_eye[0] < right_eye[0] < face.box.x_max

    def test_finds_the_face_at_the_same_place_whatever_the_padding(self, detector: YuNetDetector) -> None:
        image = faces.astronaut()
        (whole,), (cut,) = detector.detect(image), detector.detect(image[:301, :333])
        assert whole.box.iou(cut.box) > 0.9

    def test_agrees_with_opencvs_own_decoding(self, detector: YuNetDetector) -> None:
        image = faces.group()[:832]  # a multiple of 64, so that neither pads
        path = str(model_packs.opencv_zoo_pack().file("detector"))
        theirs = cv2.FaceDetectorYN.create(path, "", (image.shape[1], image.shape[0]), 0.6, 0.3)
        _, rows = theirs.detect(image)
        ours = detector.detect(image)
        expected = sorted(rows.tolist(), key=lambda row: -row[14])
        assert len(ours) == len(expected)
        for face, row in zip(ours, expected, strict=True):
            assert face.score == pytest.approx(row[14], abs=1e-3)
            assert (face.box.x_min, face.box.y_min, face.box.width, face.box.height) == pytest.approx(row[:4], abs=0.5)
            np.testing.assert_allclose(np.sort(face.landmarks.points_xy.ravel()), np.sort(row[4:14]), atol=0.5)

    def test_drops_what_scores_below_the_minimum(self, prepared: dict[str, Path]) -> None:
        strict = YuNetDetector(OnnxRuntimeSession(prepared["detector"]), minimum_score=0.99)
        assert strict.detect(faces.group()) == ()


class TestSFaceEmbedder:
    @pytest.mark.parametrize("shape", [(112, 112, 3), (1, 100, 112, 3), (1, 112, 112, 1)])
    def test_refuses_crops_of_another_shape(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(InvalidArray, match="crops_bgr"):
            SFaceEmbedder(FakeSession()).embed(np.zeros(shape, np.uint8))

    def test_gives_the_network_red_before_blue_and_0_to_255(self) -> None:
        seen: list[np.ndarray] = []

        def compute(batch: np.ndarray) -> tuple[np.ndarray, ...]:
            seen.append(batch.copy())
            return (np.ones((1, 128), np.float32),)

        crop = np.zeros((1, 112, 112, 3), np.uint8)
        crop[..., 2] = 255  # red
        SFaceEmbedder(FakeSession(compute=compute)).embed(crop)
        assert seen[0].shape == (1, 3, 112, 112)
        assert seen[0][0, :, 0, 0].tolist() == [255, 0, 0]

    def test_gives_128_numbers_a_face_for_any_number_of_faces(self, prepared: dict[str, Path]) -> None:
        embedder = SFaceEmbedder(OnnxRuntimeSession(prepared["embedder"]))
        vectors = embedder.embed(crops())
        assert vectors.shape == (2, 128)
        np.testing.assert_allclose(embedder.embed(crops()[1:]), vectors[1:], atol=1e-3)

    def test_computes_what_the_published_file_computes(self, prepared: dict[str, Path], tmp_path: Path) -> None:
        published = onnx.load(model_packs.opencv_zoo_pack().file("embedder"))
        path = tmp_path / "published.onnx"
        kept = [value for value in published.graph.input if value.name == "data"]
        del published.graph.input[:]
        published.graph.input.extend(kept)
        onnx.save(published, path)
        as_published = SFaceEmbedder(OnnxRuntimeSession(path)).embed(crops()[:1])
        folded = SFaceEmbedder(OnnxRuntimeSession(prepared["embedder"])).embed(crops()[:1])
        np.testing.assert_allclose(folded, as_published, atol=1e-3)


def test_both_say_what_runs_them() -> None:
    assert YuNetDetector(FakeSession("one 1.0"), minimum_score=0.6).runtime == "one 1.0"
    assert SFaceEmbedder(FakeSession("two 2.0")).runtime == "two 2.0"
