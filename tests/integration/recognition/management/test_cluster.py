"""`faceweb cluster` on real models: whatever lies in the folder, it says what became of it and goes on."""

from __future__ import annotations

import csv
import io
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from recognition.models import FaceSample, ModelPack, Person
from recognition.vision import geometry
from tests import faces

pytestmark = pytest.mark.django_db(transaction=True)


def photo(width: int = 300) -> bytes:
    """The same woman, at another size."""
    scaled = cv2.resize(faces.astronaut(), (width, width), interpolation=cv2.INTER_AREA)
    return faces.jpeg(np.asarray(scaled, np.uint8))


def saved(form: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(faces.astronaut()[:, :, ::-1])).convert(mode).save(file, form, **options)
    return file.getvalue()


def sixteen_bit() -> bytes:
    done, data = cv2.imencode(".png", faces.astronaut().astype(np.uint16) * 257)
    assert done
    return data.tobytes()


def huge() -> bytes:
    """A header that says 60,000 x 60,000 pixels, in a file of some hundred bytes."""
    small = io.BytesIO()
    Image.new("1", (8, 8)).save(small, "PNG")
    data = bytearray(small.getvalue())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    # The checksum of the header chunk, which Pillow looks at.
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


def animated(form: str) -> bytes:
    frames = [Image.fromarray(np.ascontiguousarray(faces.astronaut()[:, :, ::-1])), Image.new("RGB", (512, 512))]
    file = io.BytesIO()
    frames[0].save(file, form, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A woman in three photos, two people together in one of them, and a landscape."""
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(photo())
    (folder / "below" / "a.jpg").write_bytes(photo(400))
    group = faces.group()
    one, other, *_ = faces.default_pipeline().find(group)
    crops = [geometry.crop_square(group, face.box, context=2.0, side_px=260) for face in (one, other)]
    small = np.asarray(cv2.resize(faces.astronaut(), (260, 260), interpolation=cv2.INTER_AREA), np.uint8)
    (folder / "both.png").write_bytes(faces.jpeg(np.ascontiguousarray(np.hstack([small, crops[0]]))))
    (folder / "landscape.jpg").write_bytes(faces.jpeg(faces.textures()["grass"]))
    return folder


def cluster(folder: Path, *more: str, status: int = 0) -> dict[str, Any]:
    out = io.StringIO()
    try:
        call_command("cluster", str(folder), *more, "--json", stdout=out)
        ended = 0
    except SystemExit as stop:
        ended = int(stop.code or 0)
    assert ended == status, out.getvalue()
    values: dict[str, Any] = json.loads(out.getvalue())
    return values


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_writes_a_folder_for_each_person_and_a_list_and_enrols_nobody(folder: Path) -> None:
    before = files_below(folder)
    found = cluster(folder)
    target = folder.parent / "photos-clusters"
    assert found["out"] == str(target)
    assert {name: found[name] for name in ("files", "faces", "clusters", "alone", "without_face", "not_read")} == {
        "files": 4,
        "faces": 4,
        "clusters": 1,
        "alone": 1,
        "without_face": 1,
        "not_read": 0,
    }
    assert files_below(target) == [
        "alone/both.png",
        "cluster-001/a-2.jpg",
        "cluster-001/a.jpg",
        "cluster-001/both.png",
        "clusters.csv",
    ]
    assert (target / "cluster-001" / "a-2.jpg").read_bytes() == (folder / "below" / "a.jpg").read_bytes()
    rows = list(csv.DictReader(io.StringIO((target / "clusters.csv").read_text(encoding="utf-8"))))
    assert {(row["file"], row["face"], row["cluster"], row["copy"]) for row in rows} == {
        ("a.jpg", "1", "cluster-001", "cluster-001/a.jpg"),
        ("below/a.jpg", "1", "cluster-001", "cluster-001/a-2.jpg"),
        *((r["file"], r["face"], r["cluster"], f"{r['cluster']}/both.png") for r in rows if r["file"] == "both.png"),
        ("landscape.jpg", "", "", ""),
    }
    assert {row["cluster"] for row in rows if row["file"] == "both.png"} == {"cluster-001", "alone"}
    assert all(int(row["width"]) > 24 for row in rows if row["face"])
    assert [row["reason"] for row in rows if row["reason"]] == ["No face was found."]
    assert files_below(folder) == before
    assert not Person.objects.exists()
    assert not FaceSample.objects.exists()


def test_links_lead_to_the_photos(folder: Path) -> None:
    target = folder.parent / "linked"
    cluster(folder, "--links", "--out", str(target))
    link = target / "cluster-001" / "a.jpg"
    assert link.is_symlink()
    assert link.resolve() == (folder / "a.jpg").resolve()


def test_says_in_words_what_was_written(folder: Path) -> None:
    out = io.StringIO()
    call_command("cluster", str(folder), stdout=out)
    assert out.getvalue().splitlines() == [
        "landscape.jpg: no face was found.",
        "Faces: 4. Clusters: 1. Faces that belong nowhere: 1.",
        f"Written to {folder.parent / 'photos-clusters'}.",
    ]


@pytest.mark.parametrize(
    ("options", "clusters"),
    [
        (["--method", "agglomerative", "--k", "1"], 1),
        (["--method", "kmeans", "--k", "2"], 1),
        (["--method", "hdbscan"], 0),  # everything that is alike is one person's, which it does not see
        (["--threshold", "1"], 0),
    ],
)
def test_groups_as_it_is_told_to(folder: Path, options: list[str], clusters: int) -> None:
    assert cluster(folder, *options)["clusters"] == clusters


BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.jpg": (lambda: b"", "not an image"),
    "corrupt.jpg": (lambda: b"\xff\xd8\xff\xe0" + b"garbage" * 99, "not an image"),
    "truncated.png": (lambda: saved("PNG")[:5000], "image"),
    "huge.png": (huge, "pixels"),
    "animated.gif": (lambda: animated("GIF"), "It is not named like a photo"),
    "notes.txt": (lambda: b"hello", "It is not named like a photo"),
}
READ: dict[str, tuple[Callable[[], bytes], int]] = {
    "cmyk.jpg": (lambda: saved("JPEG", "CMYK"), 1),
    "sixteen.png": (sixteen_bit, 1),
    "animated.webp": (lambda: animated("WEBP"), 1),
    "grey.png": (lambda: saved("PNG", "L"), 1),
    "transparent.png": (lambda: saved("PNG", "RGBA"), 1),
    "pixel.png": (lambda: faces.jpeg(np.zeros((1, 1, 3), np.uint8)), 0),
}


def test_whatever_lies_there_gets_a_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, (content, _) in {**BROKEN, **READ}.items():
        (folder / name).write_bytes(content())
    with (folder / "large.jpg").open("wb") as file:
        os.truncate(file.fileno(), 20 * 2**20 + 1)
    found = cluster(folder, status=1)
    rows = {row["file"]: row for row in found["results"]}
    for name, (_, reason) in {**BROKEN, "large.jpg": (None, "MB")}.items():
        assert rows[name]["face"] is None, name
        assert reason in rows[name]["reason"], (name, rows[name]["reason"])
    for name, (_, count) in READ.items():
        assert sum(row["file"] == name and row["face"] is not None for row in found["results"]) == count, name
    assert found["not_read"] == len(BROKEN) + 1
    assert found["clusters"] == 1
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("cluster", str(folder), "--replace", stdout=out)
    assert sum(": not read. " in line for line in out.getvalue().splitlines()) == len(BROKEN) + 1


class TestWhatIsInTheWay:
    def test_clusters_of_before_are_replaced_only_when_told(self, folder: Path) -> None:
        cluster(folder)
        target = folder.parent / "photos-clusters"
        (target / "cluster-007").mkdir()
        with pytest.raises(CommandError, match="holds clusters already"):
            cluster(folder)
        assert (target / "cluster-007").exists()
        cluster(folder, "--replace")
        assert not (target / "cluster-007").exists()
        assert sorted(path.name for path in folder.parent.iterdir()) == ["photos", "photos-clusters"]

    def test_what_somebody_else_put_there_is_never_replaced(self, folder: Path) -> None:
        target = folder.parent / "mine"
        target.mkdir()
        (target / "thesis.txt").write_text("all of it")
        with pytest.raises(CommandError, match=r"holds thesis\.txt, which this command did not write"):
            cluster(folder, "--out", str(target), "--replace")
        assert (target / "thesis.txt").read_text() == "all of it"

    @pytest.mark.parametrize("out", ["photos", "photos/below", ".", "photos/new"])
    def test_the_photos_are_never_in_the_same_place(self, folder: Path, out: str) -> None:
        with pytest.raises(CommandError, match="lie in each other"):
            cluster(folder, "--out", str(folder.parent / out), "--replace")

    def test_a_file_is_no_folder(self, folder: Path) -> None:
        (folder.parent / "file").write_text("x")
        with pytest.raises(CommandError, match="is no folder"):
            cluster(folder, "--out", str(folder.parent / "file"))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--method", "kmeans"], "k-means needs to be told"),
        (["--method", "hdbscan", "--k", "2"], "cannot be told"),
        (["--k", "9"], "expected 1 to 4, as so many faces were found, got 9"),
        (["--threshold", "2"], r"expected -1\.\.1, got 2\.0"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(folder: Path, options: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why) as refused:
        cluster(folder, *options)
    assert refused.value.returncode == 2
    assert [path.name for path in folder.parent.iterdir()] == ["photos"]


def test_a_folder_that_is_not_there_or_empty_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        cluster(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="holds no files"):
        cluster(tmp_path / "empty")


def test_a_folder_without_a_face_gives_a_list_alone(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "landscape.jpg").write_bytes(faces.jpeg(faces.textures()["grass"]))
    assert cluster(folder)["clusters"] == 0
    assert files_below(tmp_path / "photos-clusters") == ["clusters.csv"]


def test_a_pack_without_thresholds_needs_one(folder: Path) -> None:
    cluster(folder)
    ModelPack.objects.update(operating_points=[])
    with pytest.raises(CommandError, match=r"has no measured thresholds\. Name one with --threshold"):
        cluster(folder, "--replace")
    assert cluster(folder, "--replace", "--threshold", "0.4")["clusters"] == 1
