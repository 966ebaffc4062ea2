from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognition.management import evaluating_tilted
from recognition.management.data_sets import DataSet
from recognition.vision import geometry, model_packs
from tests import data_sets, faces

pytestmark = pytest.mark.usefixtures("needs_no_compiling")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One image with a face, one without."""
    folder = tmp_path_factory.mktemp("tilted")
    astronaut = faces.astronaut()
    (face,) = faces.default_pipeline().find(astronaut)
    ada = geometry.crop_square(astronaut, face.box, context=2.2, side_px=200)
    data_sets.write(folder, {"Ada": [ada], "Bo": [np.zeros((9, 9, 3), np.uint8)]})
    return folder


def evaluate(folder: Path, *more: str) -> str:
    out = io.StringIO()
    call_command("evaluate", "tilted", "--images", str(folder), *more, stdout=out)
    return out.getvalue()


def test_the_same_face_is_seen_at_every_angle(images: Path) -> None:
    options = {"images": DataSet(images), "pairs": None, "limit": None, "pack": "opencv-zoo", "json": True}
    measured, words = evaluating_tilted.run(options)

    rows = measured["rows"]
    angles = {name: row for name, row in rows.items() if name.isdecimal()}
    assert list(angles) == [str(angle) for angle in range(0, 360, 15)]
    assert {name: row for name, row in angles.items() if (row["faces"], row["right"]) != (1, 1.0)} == {}
    assert list(rows)[24:] == ["profile", "80 px", "60 px", "40 px"]
    assert (rows["profile"]["faces"], rows["profile"]["found"]) == (0, None)
    assert rows["40 px"]["faces"] == 1
    assert (measured["images"], measured["not_acquired"]) == (2, 1)
    assert measured["pack"] == {"name": "opencv-zoo", "digest": model_packs.opencv_zoo_pack().digest()}
    assert "\nTilted by     Faces   Found     Landmarks  Vector    Both      Search" in words
    assert "\n180 degrees   1       100.00%   100.00%    100.00%   100.00%   " in words
    assert "\nprofile       0       -" in words


def test_only_the_images_that_a_file_of_pairs_names_are_looked_at(images: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("1\nBo\t1\t2\nBo\t1\tBo\t1\n")
    with pytest.raises(CommandError, match="a non-mated pair"):
        evaluate(images, "--pairs", str(pairs))
    pairs.write_text("1\nBo\t1\t2\nBo\t1\tCyd\t1\n")
    with pytest.raises(CommandError, match=r"2 of 3 images are not in .*, such as Bo/Bo_0002\.jpg"):
        evaluate(images, "--pairs", str(pairs))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--limit", "-1"], "--limit: expected 1 or more, got -1"),
        (["--pairs", "no such file"], "cannot read no such file"),
        (["--pack", "/no/such/pack"], "There is no model pack in /no/such/pack"),
    ],
)
def test_what_cannot_be_measured_is_told_in_a_sentence(images: Path, more: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        evaluate(images, *more)


def test_a_damaged_image_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Ada").mkdir()
    (tmp_path / "Ada" / "Ada_0001.jpg").write_bytes(b"no image")
    with pytest.raises(SystemExit) as ended:
        evaluate(tmp_path)
    assert ended.value.code == 2
    assert "Ada_0001.jpg: This is not an image" in capsys.readouterr().err
