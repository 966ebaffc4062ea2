from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from insightface.utils import storage
from onnx import TensorProto, helper

from recognition.vision import model_packs
from recognition.vision.backends import insightface
from recognition.vision.backends.insightface import InsightFaceDetector, InsightFaceEmbedder
from recognition.vision.errors import InvalidArray, PackUnavailable
from tests import faces

SHARED_PACK = Path(__file__).parents[6] / "shared/data/packs/scrfd_mbf"
needs_shared_pack = pytest.mark.skipif(not SHARED_PACK.is_dir(), reason=f"{SHARED_PACK} is not there")


class TestDownloaded:
    def test_is_the_folder_that_is_there_already(self, tmp_path: Path) -> None:
        (tmp_path / "buffalo_l").mkdir()
        assert insightface.downloaded("buffalo_l", tmp_path) == tmp_path / "buffalo_l"

    def test_names_file_and_folder_where_there_is_no_internet(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def offline(*_: Any, **__: Any) -> None:
            print("downloading...")  # as the real one does
            raise ConnectionError("no route to host")

        monkeypatch.setattr(storage, "download_file", offline)
        models = tmp_path / "models"
        with pytest.raises(PackUnavailable, match=r"download buffalo_l\.zip") as caught:
            insightface.downloaded("buffalo_l", models)
        assert str(models / "buffalo_l") in str(caught.value)
        assert "ConnectionError" in str(caught.value)
        assert capsys.readouterr().out == ""


class TestDetector:
    def test_refuses_a_network_that_insightface_does_not_know(self, tmp_path: Path) -> None:
        path = tmp_path / "det_of_nothing.onnx"
        shape = [1, 3, 50, 50]
        graph = helper.make_graph(
            [helper.make_node("Identity", ["x"], ["y"])],
            "identity",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        )
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
        with pytest.raises(PackUnavailable, match=r"det_of_nothing\.onnx"):
            InsightFaceDetector(path, minimum_score=0.5)

    @needs_shared_pack
    def test_refuses_a_recogniser(self) -> None:
        with pytest.raises(PackUnavailable, match="not a face detector but recognition"):
            InsightFaceDetector(model_packs.insightface_pack(SHARED_PACK).file("embedder"), minimum_score=0.5)

    @needs_shared_pack
    def test_finds_the_six_people_of_a_group_and_nobody_on_a_blank_image(self) -> None:
        path = model_packs.insightface_pack(SHARED_PACK).file("detector")
        detector = InsightFaceDetector(path, minimum_score=0.5)
        found = detector.detect(faces.group())
        assert len(found) == faces.PEOPLE_IN_GROUP
        assert [face.score for face in found] == sorted((face.score for face in found), reverse=True)
        assert detector.detect(np.zeros((100, 130, 3), np.uint8)) == ()

    @needs_shared_pack
    def test_agrees_with_the_default_detector_on_where_faces_are(self) -> None:
        path = model_packs.insightface_pack(SHARED_PACK).file("detector")
        (found,) = InsightFaceDetector(path, minimum_score=0.5).detect(faces.astronaut())
        (expected,) = faces.default_pipeline().find(faces.astronaut())
        assert found.box.iou(expected.box) > 0.6
        np.testing.assert_allclose(found.landmarks.points_xy, expected.landmarks.points_xy, atol=8)


class TestEmbedder:
    @needs_shared_pack
    def test_refuses_a_detector(self) -> None:
        with pytest.raises(PackUnavailable, match="not a recogniser but detection"):
            InsightFaceEmbedder(model_packs.insightface_pack(SHARED_PACK).file("detector"))

    @needs_shared_pack
    def test_gives_one_vector_a_crop_and_refuses_other_shapes(self) -> None:
        embedder = InsightFaceEmbedder(model_packs.insightface_pack(SHARED_PACK).file("embedder"))
        vectors = embedder.embed(np.stack([faces.tom_hanks()] * 2))
        assert vectors.shape[0] == 2
        assert vectors.dtype == np.float32
        with pytest.raises(InvalidArray):
            embedder.embed(np.zeros((112, 112, 3), np.uint8))
