from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognition.vision import geometry, model_packs
from tests import data_sets, faces

pytestmark = pytest.mark.usefixtures("needs_no_compiling")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One image with a face, one without."""
    folder = tmp_path_factory.mktemp("detector")
    astronaut = faces.astronaut()
    (face,) = faces.default_pipeline().find(astronaut)
    ada = geometry.crop_square(astronaut, face.box, context=2.2, side_px=250)
    data_sets.write(folder, {"Ada": [ada], "Bo": [np.zeros((64, 64, 3), np.uint8)]})
    return folder


def evaluate(folder: Path, *more: str, out: io.StringIO | None = None) -> str:
    out = out or io.StringIO()
    call_command("evaluate", "detector", "--images", str(folder), *more, stdout=out)
    return out.getvalue()


def test_shows_the_detectors_of_the_shipped_packs_side_by_side(images: Path, tmp_path: Path) -> None:
    (tmp_path / "brick.jpg").write_bytes(faces.jpeg(faces.textures()["brick"]))
    (tmp_path / "astronaut.jpg").write_bytes(faces.jpeg(faces.astronaut()))  # so that something is found
    (tmp_path / "notes.txt").write_text("no picture")

    out = io.StringIO()
    with pytest.raises(SystemExit, match="2"):
        evaluate(images, "--without-faces", str(tmp_path), "--json", out=out)
    measured: dict[str, Any] = json.loads(out.getvalue())
    assert list(measured["unread"]) == [str(tmp_path / "notes.txt")]
    assert (measured["images"], measured["pictures_without_faces"]) == (2, 2)
    yunet, mtcnn = measured["detectors"]
    assert [each["pack"]["name"] for each in (yunet, mtcnn)] == list(model_packs.SHIPPED_PACKS)
    assert [each["found"] for each in (yunet, mtcnn)] == [0.5, 0.5]
    assert yunet["false_finds"] >= 1
    assert yunet["false_finds_any_way_up"] >= yunet["false_finds"]
    assert 0.0 < yunet["landmark_error"]["median"] < 0.15
    # Of two, each is held against the other.
    assert mtcnn["landmark_error"] == pytest.approx(yunet["landmark_error"], rel=0.1)


def test_says_it_in_a_table(images: Path) -> None:
    words = evaluate(images, "--pack", "mtcnn-sface", "--limit", "1")
    assert "\nPack                Found" in words
    assert "\nmtcnn-sface         100.00%    -" in words
    assert "mtcnn-sface runs on onnxruntime" in words


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--without-faces", "/no/such/folder"], "/no/such/folder holds no picture that can be read"),
        (["--pack", "/no/such/pack"], "There is no model pack in /no/such/pack"),
    ],
)
def test_what_cannot_be_measured_is_told_in_a_sentence(images: Path, more: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        evaluate(images, *more)
