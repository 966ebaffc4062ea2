from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.vision import supplied_packs
from recognition.vision.alignment import Cut
from recognition.vision.errors import PackCorrupt, PackInvalid, PackUnavailable
from recognition.vision.model_packs import Feed, Licence, ModelPack, PackFile
from recognition.vision.supplied_packs import MANIFEST_NAME, MOST_MODEL_BYTES, Manifest
from tests.processes import PROJECT

MODEL = b"a model"

COMPLETE = f"""
name = "FaceNet of ours"
file = "facenet.onnx"
sha256 = "{hashlib.sha256(MODEL).hexdigest().upper()}"
dimension = 512
detector = "mtcnn-sface"

[input]
size = 160
channels = "RGB"
mean = [127.5, 127, 126.5]
std = 128
layout = "NHWC"

[alignment]
method = "crop"
margin = 0.25

[licence]
name = "MIT"
url = "https://example.org/licence"
commercial_use = true
"""

SHORT = """
name = "short"
file = "a.onnx"
dimension = 128
input = {size = 112, channels = "BGR", mean = 0, std = 1}
alignment = {method = "arcface"}
licence = {name = "MIT", url = "http://example.org"}
"""


@pytest.fixture
def detecting(tmp_path: Path) -> ModelPack:
    files = []
    for role in ("detector", "embedder"):
        path = tmp_path / f"{role}.onnx"
        path.write_bytes(role.encode())
        files.append(PackFile(role, path, None))
    preprocessing = {"detector_input": "bgr", "embedder_input": "rgb"}
    return ModelPack("finder", "opencv_zoo", tuple(files), Licence("MIT", True, "here"), preprocessing)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "facenet.onnx").write_bytes(MODEL)
    (folder / MANIFEST_NAME).write_text(COMPLETE)
    return folder


def test_a_folder_without_a_manifest_is_none(tmp_path: Path) -> None:
    assert not supplied_packs.is_supplied(tmp_path)
    with pytest.raises(PackInvalid, match=r"embedder\.toml cannot be read: No such file"):
        supplied_packs.read(tmp_path)


def test_reads_everything_that_may_be_said(folder: Path) -> None:
    assert supplied_packs.is_supplied(folder)
    assert supplied_packs.read(folder) == Manifest(
        name="FaceNet of ours",
        file="facenet.onnx",
        sha256=hashlib.sha256(MODEL).hexdigest(),
        feed=Feed(Cut(160, 0.25), "RGB", (127.5, 127.0, 126.5), (128.0, 128.0, 128.0), "NHWC", 512),
        detector="mtcnn-sface",
        licence=Licence("MIT", True, "brought along", "https://example.org/licence"),
    )


def test_what_need_not_be_said_is_the_default_detector_and_nothing_else() -> None:
    manifest = Manifest.parse(SHORT)
    assert manifest.feed == Feed(Cut(112, None), "BGR", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), None, 128)
    assert (manifest.detector, manifest.sha256, manifest.licence.commercial_use) == ("opencv-zoo", None, None)


def test_the_manifest_of_the_documentation_is_one() -> None:
    page = (PROJECT / "docs" / "howto" / "embedders.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    assert Manifest.parse(example.replace("0f3a...", "0f3a" * 16)).feed.cut == Cut(160, 0.25)


@pytest.mark.parametrize(
    ("said", "instead", "problem"),
    [
        ('name = "short"', "", "name is missing: expected a text of 1 to 100 printable characters"),
        ('"short"', '""', "name: expected a text of 1 to 100 printable characters, got ''"),
        ('"short"', '"a\\nb"', r"name: expected a text .*, got 'a\\nb'"),
        ('"a.onnx"', '"../a.onnx"', "file: expected the name of an ONNX file in the same folder"),
        ('"a.onnx"', '".."', "file: expected the name of an ONNX file"),
        ("dimension = 128", "dimension = 128.0", r"dimension: expected a whole number from 2 to 2048, got 128\.0"),
        ("dimension = 128", "dimension = true", "dimension: expected a whole number"),
        ("dimension = 128", "dimension = 4096", "dimension: expected a whole number"),
        ("dimension = 128", 'sha256 = "beef"\ndimension = 128', "sha256: expected a SHA-256"),
        ("dimension = 128", "dimension = 128\nmean = 3", "mean is not a key that is known here"),
        ("size = 112", "size = 1000", r"input\.size: expected a whole number from 32 to 256, got 1000"),
        ('"BGR"', '"GBR"', r"input\.channels: expected \"RGB\" or \"BGR\", got 'GBR'"),
        ("mean = 0", "mean = [1, 2]", r"input\.mean: expected a number .*, or three of them, got \[1, 2\]"),
        ("mean = 0", "mean = nan", r"input\.mean: expected a number"),
        ("mean = 0", f"mean = {'9' * 400}", r"input\.mean: expected a number"),
        ("std = 1", "std = 0", r"input\.std: expected a number from 1e-06"),
        ("std = 1", 'std = 1, layout = "CHW"', r"input\.layout: expected"),
        ('"arcface"', '"mtcnn"', r"alignment\.method: expected \"arcface\" or \"crop\""),
        ('"arcface"', '"crop"', r"alignment\.margin is missing"),
        ('"arcface"', '"crop", margin = -1', r"alignment\.margin: expected a number from 0 to 1"),
        ('"arcface"', '"arcface", margin = 0', r"alignment\.margin is not a key that is known here"),
        ('"http://example.org"', '"javascript:x"', r"licence\.url: expected an address"),
        ('licence = {name = "MIT", url = "http://example.org"}', "licence = 3", "licence: expected a table, got 3"),
        ("dimension = 128", "dimension = ", "this is not TOML"),
        ("dimension = 128", f"dimension = {'[' * 20_000}", "this is not TOML"),
    ],
)
def test_each_fault_is_named_in_one_line(said: str, instead: str, problem: str) -> None:
    assert SHORT.count(said) == 1
    with pytest.raises(PackInvalid, match=f"^{problem}") as refused:
        Manifest.parse(SHORT.replace(said, instead))
    assert str(refused.value).isprintable()


def test_what_is_no_text_or_too_long_a_one_is_named_with_its_file(folder: Path) -> None:
    (folder / MANIFEST_NAME).write_bytes(b"\xff")
    with pytest.raises(PackInvalid, match=r"embedder\.toml: expected a text in UTF-8"):
        supplied_packs.read(folder)
    (folder / MANIFEST_NAME).write_text("#" * 70_000)
    with pytest.raises(PackInvalid, match=r"embedder\.toml: a manifest has at most 65,536 bytes"):
        supplied_packs.read(folder)


SCALARS = st.one_of(st.integers(), st.floats(), st.booleans(), st.text(), st.lists(st.integers(), max_size=4))


@given(
    st.text()
    | st.fixed_dictionaries(
        dict.fromkeys(("name", "file", "sha256", "dimension", "detector"), SCALARS),
        optional={
            "input": st.dictionaries(st.sampled_from(["size", "channels", "mean", "std", "layout"]), SCALARS),
            "alignment": st.dictionaries(st.sampled_from(["method", "margin"]), SCALARS),
            "licence": st.dictionaries(st.sampled_from(["name", "url", "commercial_use"]), SCALARS),
        },
    )
)
def test_anything_else_is_refused_in_one_line(given_: str | dict[str, Any]) -> None:
    text = given_ if isinstance(given_, str) else "\n".join(f"{key} = {_toml(value)}" for key, value in given_.items())
    assert _refusal(text).isprintable()


def _refusal(text: str) -> str:
    try:
        Manifest.parse(text)
    except PackInvalid as refused:
        return str(refused)
    return ""


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


class TestPack:
    def test_has_the_detector_of_another_pack_and_a_digest_over_all_that_changes_a_vector(
        self, folder: Path, detecting: ModelPack
    ) -> None:
        manifest = supplied_packs.read(folder)
        pack = supplied_packs.supplied_pack(folder, manifest, detecting)
        assert (pack.name, pack.location, pack.base, pack.cut) == (
            manifest.name,
            str(folder),
            detecting,
            Cut(160, 0.25),
        )
        assert pack.file("detector") == detecting.file("detector")
        assert pack.file("embedder") == folder / "facenet.onnx"
        digests = {pack.digest()}
        feed = manifest.feed
        for change in (
            dataclasses.replace(feed, channels="BGR"),
            dataclasses.replace(feed, mean=(0.0, 0.0, 0.0)),
            dataclasses.replace(feed, cut=Cut(160, None)),
        ):
            other = dataclasses.replace(manifest, feed=change)
            digests.add(supplied_packs.supplied_pack(folder, other, detecting).digest())
        finder = dataclasses.replace(detecting, preprocessing={"detector_input": "rgb"})
        digests.add(supplied_packs.supplied_pack(folder, manifest, finder).digest())
        (folder / "facenet.onnx").write_bytes(b"another model")
        digests.add(supplied_packs.supplied_pack(folder, Manifest.parse(_without_sha256()), detecting).digest())
        assert len(digests) == 6

    def test_is_called_as_its_manifest_says_and_has_its_licence_which_change_no_vector(
        self, folder: Path, detecting: ModelPack
    ) -> None:
        manifest = supplied_packs.read(folder)
        renamed = dataclasses.replace(manifest, name="other", licence=Licence("x", None, "y"))
        first, second = (supplied_packs.supplied_pack(folder, each, detecting) for each in (manifest, renamed))
        assert first.licence.url == "https://example.org/licence"
        assert (second.name, second.digest()) == ("other", first.digest())

    def test_with_another_file_than_the_manifest_says_is_not_loaded(self, folder: Path, detecting: ModelPack) -> None:
        (folder / "facenet.onnx").write_bytes(b"another model")
        with pytest.raises(PackCorrupt, match="SHA-256"):
            supplied_packs.supplied_pack(folder, supplied_packs.read(folder), detecting).digest()

    def test_without_its_file_or_with_one_too_large_is_none(self, folder: Path, detecting: ModelPack) -> None:
        os.truncate(folder / "facenet.onnx", MOST_MODEL_BYTES + 1)
        with pytest.raises(PackInvalid, match="has 1,073,741,825 bytes; at most 1,073,741,824 are loaded"):
            supplied_packs.supplied_pack(folder, supplied_packs.read(folder), detecting)
        (folder / "facenet.onnx").unlink()
        with pytest.raises(PackUnavailable, match=r"embedder\.toml names facenet\.onnx, which is not in .*mine"):
            supplied_packs.supplied_pack(folder, supplied_packs.read(folder), detecting)


def _without_sha256() -> str:
    return "\n".join(line for line in COMPLETE.splitlines() if "sha256" not in line)
