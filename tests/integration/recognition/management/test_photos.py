"""Whatever lies in a folder of photos: each gets its line, and the rest goes on."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from recognition import wiring
from recognition.vision.images import STILL_LIMITS
from recognition.vision.model_packs import ModelPack
from recognition.vision.pipeline import FacePipeline
from recognition.vision.runtimes.choice import RuntimeOptions
from recognition.vision.types import BoundingBox, DetectedFace, ImageBgr
from recognition.wiring import LoadedPack
from tests import faces, fakes

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "Eileen Collins"

NOT_AN_IMAGE, NO_FACE = "This is not an image", "No face was found"

NOT_NAMED_SO = "It is not named like a photo"

PROBLEMS = {
    "animated.gif": NOT_AN_IMAGE,
    "animated.png": "",
    "animated.webp": "",
    "cmyk.jpg": "",
    "corrupt.jpg": NOT_AN_IMAGE,
    "cut-off.jpg": NOT_AN_IMAGE,
    "damaged.png": NOT_AN_IMAGE,
    "empty.jpg": NOT_AN_IMAGE,
    "huge.png": "The image is too large: 3600.0 megapixels",
    "large.jpg": "The file is too large: 20.1 MB",
    "one-pixel.png": NO_FACE,
    "sixteen-bit.png": "",
    "truncated.jpg": NOT_AN_IMAGE,
}
"""What is said of each file; nothing of those whose face is found."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("photos")
    astronaut = faces.astronaut()
    picture = Image.fromarray(np.ascontiguousarray(astronaut[:, :, ::-1]))
    dark = Image.new("RGB", picture.size)
    for name in ("animated.gif", "animated.png", "animated.webp"):
        picture.save(place / name, save_all=True, append_images=[dark], duration=100)
    picture.convert("CMYK").save(place / "cmyk.jpg")
    (place / "corrupt.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8)
    whole = faces.jpeg(astronaut)
    (place / "cut-off.jpg").write_bytes(whole[: len(whole) // 2])
    picture.save(place / "damaged.png")
    with (place / "damaged.png").open("r+b") as file:
        file.seek(50_000)
        file.write(bytes(500))
    (place / "empty.jpg").write_bytes(b"")
    (place / "huge.png").write_bytes(_png_header(60_000, 60_000))
    (place / "large.jpg").write_bytes(faces.jpeg(astronaut))
    os.truncate(place / "large.jpg", STILL_LIMITS.max_bytes + 2**16)
    Image.new("RGB", (1, 1)).save(place / "one-pixel.png")
    cv2.imwrite(str(place / "sixteen-bit.png"), astronaut.astype(np.uint16) * 257)
    (place / "truncated.jpg").write_bytes(faces.jpeg(astronaut)[:300])
    (place / ".hidden.jpg").write_bytes(b"")
    assert set(PROBLEMS) == {path.name for path in place.iterdir()} - {".hidden.jpg"}
    return place


def _png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG file: all that must be read of it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", zlib.compress(b"\0" * 64))


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "astronaut.jpg"
    path.write_bytes(faces.jpeg(faces.astronaut()))
    return path


def answer(*arguments: Any, status: int = 0) -> dict[str, Any]:
    out = io.StringIO()
    ended = 0
    try:
        call_command(*map(str, arguments), "--json", stdout=out)
    except SystemExit as stop:
        ended = int(stop.code or 0)
    assert ended == status, out.getvalue()
    values: dict[str, Any] = json.loads(out.getvalue())
    return values


def words(*arguments: Any) -> str:
    out = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command(*map(str, arguments), stdout=out)
    return out.getvalue()


def assert_each_has_its_line(problems: dict[str, str]) -> None:
    """Paths with what was said of them; nothing where there was no problem."""
    assert {Path(path).name for path in problems} == set(PROBLEMS)
    for path, problem in problems.items():
        expected = PROBLEMS[Path(path).name]
        assert problem.startswith(expected), path
        assert bool(problem) == bool(expected), (path, problem)


def test_of_verify(folder: Path, photo: Path) -> None:
    answer("enrol", NAME, photo)
    found = answer("verify", NAME, folder, status=2)["photos"]
    assert_each_has_its_line({row["file"]: row.get("error", "") for row in found})
    for row in found:
        if "error" not in row:
            assert row["decision"] == "accept"
            assert row["distance"] ** 2 == pytest.approx(2 - 2 * row["similarity"], abs=1e-6)


def test_of_identify(folder: Path, photo: Path) -> None:
    answer("enrol", NAME, photo)
    found = answer("identify", folder, photo, status=2)["photos"]
    assert found.pop()["file"] == str(photo)
    # Where nobody is looked for in particular, a photo of nobody is an answer.
    said = {row["file"]: row.get("error", "" if row.get("faces") else NO_FACE) for row in found}
    assert_each_has_its_line(said)
    accepted = [row["faces"][0] for row in found if row.get("faces")]
    assert {face["decision"] for face in accepted} == {"accept"}
    best = accepted[0]["candidates"][0]
    assert best["distance"] ** 2 == pytest.approx(2 - 2 * best["similarity"], abs=1e-6)


def test_of_compare(folder: Path, photo: Path) -> None:
    values = answer("compare", photo, folder, status=2)
    said = {row["file"]: row["error"] for row in values["unused"]}
    assert_each_has_its_line({**said, **{pair["second"]: "" for pair in values["pairs"]}})
    assert {pair["decision"] for pair in values["pairs"]} == {"accept"}


def test_a_blurred_face_is_found_as_it_stands_and_said_to_be_poor(photo: Path, tmp_path: Path) -> None:
    """Which way up a face stands cannot be told of one so blurred, and a guess put it on its head."""
    blurred = tmp_path / "blurred.jpg"
    blurred.write_bytes(faces.jpeg(faces.blurred()))
    poor = "Too poor to rely on. The face is blurred: sharpness "
    answer("enrol", NAME, photo)
    (refused,) = answer("enrol", NAME, blurred, status=1)["results"]
    assert [each["reason"] for each in refused["reasons"]] == ["low_sharpness"]
    (face,) = answer("identify", blurred)["faces"]
    assert [fault["reason"] for fault in face["faults"]] == ["low_sharpness"]
    assert abs(face["quality"]["roll_degrees"]) < 20
    for command in (["identify", blurred], ["verify", NAME, blurred], ["compare", photo, blurred]):
        said = words(*command)
        assert said.count(poor) == 1, said


def test_of_enrol(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    rows = answer("enrol", NAME, folder, tmp_path / "pipe.jpg", status=2)["results"]
    assert rows.pop() == {"file": str(tmp_path / "pipe.jpg"), "error": "The file cannot be read: it is no file."}
    said = {Path(row["file"]).name: row.get("error") or [each["reason"] for each in row["reasons"]] for row in rows}
    assert {name for name, found in said.items() if found} == {name for name, said in PROBLEMS.items() if said}
    assert said["huge.png"] == ["too_many_pixels"]
    assert str(said["large.jpg"]).startswith(PROBLEMS["large.jpg"])
    answer("enrol", NAME, folder / "empty.jpg", status=1)


def test_of_cluster(folder: Path, tmp_path: Path) -> None:
    rows = answer("cluster", folder, "--out", tmp_path / "out", status=1)["results"]
    said = {row["file"]: row["reason"] or "" for row in rows}
    assert said.pop(".hidden.jpg").startswith(NOT_AN_IMAGE)
    assert said.pop("animated.gif").startswith(NOT_NAMED_SO)
    assert_each_has_its_line({**said, "animated.gif": NOT_AN_IMAGE})


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_of_video(name: str, folder: Path) -> None:
    with pytest.raises(CommandError, match=f"^{name} ") as refused:
        call_command("video", str(folder / name), "--no-events")
    assert refused.value.returncode == 2


def test_of_import(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "people" / "Eileen_Collins")
    values = answer("import_people", tmp_path / "people")
    assert values["refused"] == sum(bool(said) for said in PROBLEMS.values())


class FacesOfLargeImages(fakes.FakeDetector):
    """Finds a face in the middle of every image that is large enough for one."""

    def detect(self, image_bgr: ImageBgr) -> tuple[DetectedFace, ...]:
        """See `FaceDetector`."""
        height, width = image_bgr.shape[:2]
        if min(height, width) < 64:
            return ()
        return (fakes.detected(BoundingBox(width / 4, height / 4, width * 3 / 4, height * 3 / 4)),)


class TestOfDataSets:
    """What is measured is of fake networks: reading the images is all that matters here."""

    @pytest.fixture(autouse=True)
    def no_networks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def load(pack: ModelPack, options: RuntimeOptions) -> LoadedPack:
            pipeline = FacePipeline(
                pack_digest=pack.digest(),
                detector=FacesOfLargeImages(),
                embedder=fakes.FakeEmbedder(),
                landmark_views=(),
            )
            return LoadedPack(pack, pipeline, pipeline.dimension())

        monkeypatch.setattr(wiring, "load", load)

    @pytest.fixture
    def data_set(self, folder: Path, tmp_path: Path) -> Path:
        place = tmp_path / "people"
        shutil.copytree(folder, place / "Ada")
        for name in ("Bo", "Cyd"):
            (place / name).mkdir()
            for number in (1, 2, 3):
                Image.new("RGB", (200, 200), (40 * number, 20, 200)).save(place / name / f"{number}.png")
        good, damaged = _number("animated.png"), _number("cut-off.jpg")
        pairs = f"1\nAda\t{good}\t{damaged}\nAda\t{damaged}\tBo\t1\n"
        (tmp_path / "pairs.txt").write_text(pairs)
        (tmp_path / "train.txt").write_text("2\nCyd\t1\t2\nBo\t1\t2\nCyd\t1\tBo\t2\nCyd\t2\tBo\t1\n")
        return place

    @pytest.mark.parametrize(
        "arguments",
        [
            ["pairs", "--pairs", "pairs.txt", "--train-pairs", "train.txt"],
            ["packs", "--pairs", "pairs.txt", "--train-pairs", "train.txt", "--gallery-size", "1", "--seeds", "1"],
            ["open-set", "--gallery-size", "2"],
            ["quality"],
            ["cluster", "--people", "3"],
            ["tilted"],
            ["detector", "--pack", "opencv-zoo", "--without-faces", "people/Bo"],
        ],
        ids=lambda arguments: arguments[0],
    )
    def test_each_file_has_its_line_and_the_rest_is_measured(
        self, data_set: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(data_set.parent)
        values = answer("evaluate", arguments[0], "--images", "people", *arguments[1:], status=2)
        unread = {Path(path).name: problem for path, problem in values["unread"].items()}
        damaged = {name: said for name, said in PROBLEMS.items() if said not in ("", NO_FACE)}
        if "--pairs" in arguments:
            damaged = {name: said for name, said in damaged.items() if name in ("animated.gif", "cut-off.jpg")}
        assert unread.keys() == damaged.keys()
        for name, said in damaged.items():
            expected = NOT_NAMED_SO if name.endswith(".gif") else said
            assert unread[name].startswith(expected)
        told = capsys.readouterr().err.splitlines()
        assert [line for line in told if line.startswith("Ada/")] == [
            f"{path}: {problem}" for path, problem in values["unread"].items()
        ]

    def test_a_name_that_is_no_text_is_shown_all_the_same(self, data_set: Path) -> None:
        (data_set / "Ada" / os.fsdecode(b"\xff.jpg")).touch()
        values = answer("evaluate", "quality", "--images", data_set, status=2)
        assert "Ada/\\udcff.jpg" in values["unread"]

    def test_where_nothing_can_be_read_that_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "people" / "Ada").mkdir(parents=True)
        (tmp_path / "people" / "Ada" / "1.jpg").write_bytes(b"")
        for kind, said in {"quality": "No face was found", "detector": "None of the 1 images can be read"}.items():
            with pytest.raises(CommandError, match=said):
                call_command("evaluate", kind, "--images", str(tmp_path / "people"))


def _number(name: str) -> int:
    """Of an image of a data set whose images have other names than those of the data set."""
    return sorted(each for each in PROBLEMS if not each.endswith(".gif")).index(name) + 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["identify", "photos"], b"photos/\\udcff.jpg: This is not an image"),
        (["enrol", NAME, "photos"], b"photos/\\udcff.jpg: not used"),
        (["cluster", "photos"], b"\\udcff.jpg: not read"),
        (["import_people", "people"], b"\\udcfe/2.jpg: not used. It is not clear whom it shows"),
    ],
)
def test_names_that_are_no_text_are_shown_all_the_same(
    arguments: list[str], said: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (b"photos/\xff.jpg", b"photos/ok.jpg", b"people/Ada/1.jpg", b"people/\xfe/2.jpg"):
        place = tmp_path / os.fsdecode(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    monkeypatch.chdir(tmp_path)
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.suppress(SystemExit):
        call_command(*arguments, stdout=out)
    out.flush()
    assert said in out.buffer.getvalue()


@pytest.mark.parametrize("name", [name for name, problem in PROBLEMS.items() if problem])
def test_a_single_photo_that_cannot_be_used_is_the_commands_own_error(name: str, folder: Path) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("compare", str(folder / name), str(folder / name))
    assert refused.value.returncode == 2
    assert str(refused.value).startswith(f"{folder / name}: {PROBLEMS[name]}")


@pytest.mark.parametrize(
    "address", ["https://example.org/face.jpg", "HTTP://example.org", "data:image/png;base64,AAAA"]
)
@pytest.mark.parametrize("command", [["identify"], ["verify", NAME], ["compare", "a.jpg"], ["enrol", NAME]])
def test_addresses_are_never_fetched(command: list[str], address: str) -> None:
    with pytest.raises(CommandError, match="none is ever fetched"):
        call_command(*command, address)


def test_what_is_no_file_is_named(tmp_path: Path, photo: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(CommandError, match="nothing holds no files"):
        call_command("identify", str(tmp_path / "nothing"))
    os.mkfifo(tmp_path / "pipe")
    found = answer("identify", tmp_path / "pipe", tmp_path / "absent.jpg", photo, status=2)["photos"]
    assert [row.get("error") for row in found] == [
        "The file cannot be read: it is no file.",
        "The file cannot be read: No such file or directory.",
        None,
    ]
