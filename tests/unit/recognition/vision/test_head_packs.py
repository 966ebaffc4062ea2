from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.vision import head_packs
from recognition.vision.errors import PackCorrupt, PackUnavailable, PackUnfit
from recognition.vision.head_packs import HEAD_NAME, MANIFEST_NAME, HeadManifest
from recognition.vision.model_packs import Licence, ModelPack, OperatingPoint, PackFile

HEAD = b"a head"


@pytest.fixture
def base(tmp_path: Path) -> ModelPack:
    files = []
    for role in ("detector", "embedder"):
        path = tmp_path / f"{role}.onnx"
        path.write_bytes(role.encode())
        files.append(PackFile(role, path, None))
    return ModelPack("below", "opencv_zoo", tuple(files), Licence("MIT", True, "here"), {"input": "rgb"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mine"


def manifest(base: ModelPack, *, is_better: bool = True) -> HeadManifest:
    return HeadManifest(
        base=base.name,
        base_digest=base.digest(),
        sha256=head_packs.sha256(HEAD),
        is_better=is_better,
        operating_points=(OperatingPoint(fmr=1e-3, threshold=0.4, tmr=0.99),),
        measured_on="some images",
    )


def test_a_folder_without_a_manifest_is_no_head(folder: Path) -> None:
    assert not head_packs.is_head(folder)
    with pytest.raises(PackUnavailable, match=r"head\.json does not describe a head"):
        head_packs.read(folder)


def test_what_was_written_is_read_and_makes_a_pack_with_a_digest_of_its_own(folder: Path, base: ModelPack) -> None:
    written = manifest(base)
    head_packs.write(folder, HEAD, written)
    assert head_packs.is_head(folder)
    assert head_packs.read(folder) == written
    pack = head_packs.head_pack(folder, written, base)
    assert (pack.name, pack.base, pack.operating_points) == ("mine", base, written.operating_points)
    assert pack.file("head") == folder / HEAD_NAME
    assert pack.file("detector") == base.file("detector")
    assert pack.licence.commercial_use is True
    assert pack.digest() != base.digest()
    pack.require_fit()


def test_a_head_that_is_not_better_must_not_be_brought_into_use(folder: Path, base: ModelPack) -> None:
    pack = head_packs.head_pack(folder, manifest(base, is_better=False), base)
    with pytest.raises(PackUnfit, match="did not tell people apart better than below alone"):
        pack.require_fit()


def test_a_changed_head_and_another_base_are_refused(folder: Path, base: ModelPack) -> None:
    head_packs.write(folder, b"another head", manifest(base))
    with pytest.raises(PackCorrupt, match="SHA-256"):
        head_packs.head_pack(folder, manifest(base), base).digest()
    other = dataclasses.replace(base, preprocessing={"input": "bgr"})
    with pytest.raises(PackCorrupt, match="another version of the pack below"):
        head_packs.head_pack(folder, manifest(base), other)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from([field.name for field in dataclasses.fields(HeadManifest)]), inner)
        ),
    )
)
def test_any_other_json_is_refused(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST_NAME).write_text(json.dumps(value))
    with pytest.raises(PackUnavailable):
        head_packs.read(folder)
