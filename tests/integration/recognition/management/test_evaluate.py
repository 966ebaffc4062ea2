from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognition.evaluation import claims, reports
from recognition.models import AuditEntry, ModelPack
from recognition.vision import geometry
from tests import data_sets, faces

PAIRS = "2\nAda\t1\t2\nBo\t1\t2\nAda\t1\tBo\t1\nAda\t2\tCyd\t1\n"
TRAIN_PAIRS = "1\nCyd\t1\t2\nCyd\t1\tBo\t2\n"

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people with two images each, cut from the group photo."""
    folder = tmp_path_factory.mktemp("people")
    data_sets.write(folder, data_sets.of_group(dict.fromkeys(("Ada", "Bo", "Cyd"), (2.0, 2.4))))
    (folder / "pairs.txt").write_text(PAIRS)
    (folder / "train.txt").write_text(TRAIN_PAIRS)
    return folder


def evaluate(folder: Path, *more: str, pairs: str = "pairs.txt", train: bool = True) -> str:
    out = io.StringIO()
    trained = ["--train-pairs", str(folder / "train.txt")] if train else []
    call_command(
        "evaluate", "pairs", "--images", str(folder), "--pairs", str(folder / pairs), *trained, *more, stdout=out
    )
    return out.getvalue()


def as_json(folder: Path, *more: str) -> dict[str, Any]:
    measured: dict[str, Any] = json.loads(evaluate(folder, "--json", *more))
    return measured


def test_prints_one_json_object_and_no_progress(people: Path, capfd: pytest.CaptureFixture[str]) -> None:
    measured = as_json(people, "--all-pairs")
    assert capfd.readouterr().err == ""
    stored = ModelPack.objects.get()
    made = {key: measured.pop(key) for key in ("kind", "seconds", "runtime", "scores", *reports.ABOUT)}
    assert made["kind"] == "pairs"
    assert made["seconds"] > 0
    assert sum(made["scores"]["non_mated"]["counts"]) == 12
    assert {name: given.get("files") for name, given in made["dataset"].items()} == {
        "images": 6,
        "pairs": None,
        "train_pairs": None,
    }
    assert measured.pop("threshold") == pytest.approx(0.5, abs=0.3)
    assert measured.pop("thresholds_at_fmr").keys() == {"0.001", "0.0001", "0.00001"}
    assert measured == {
        "accuracy": 1.0,
        "std": 0.0,
        "pairs": 4,
        "not_acquired": 0,
        "tmr_at_fmr": {"0.001": 1.0, "0.0001": 1.0, "0.00001": 1.0},
        "pack": {"name": "opencv-zoo", "digest": stored.digest, "licence": stored.licence},
        "images": 6,
        "mated": 3,
        "non_mated": 12,
    }


def test_leaves_the_rates_out_unless_all_pairs_are_asked_for(people: Path) -> None:
    measured = as_json(people)
    assert (measured["tmr_at_fmr"], measured["thresholds_at_fmr"]) == ({}, {})
    assert (measured["mated"], measured["non_mated"]) == (None, None)


def test_says_in_words_what_was_measured_and_what_the_pairs_cannot_tell(people: Path) -> None:
    words = evaluate(people, "--all-pairs")
    assert "Accuracy                1.0000" in words
    assert "3 mated, 12 non-mated" in words
    assert words.count("(too few pairs to tell)") == 3


def test_an_image_without_a_face_is_counted_and_its_mated_pair_is_an_error(people: Path, tmp_path: Path) -> None:
    for source in people.glob("*/*.jpg"):
        target = tmp_path / source.relative_to(people)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())
    for name in ("pairs.txt", "train.txt"):
        (tmp_path / name).write_text((people / name).read_text())
    (tmp_path / "Ada" / "Ada_0002.jpg").write_bytes(faces.jpeg(np.full((250, 250, 3), 128, np.uint8)))
    measured = as_json(tmp_path, "--all-pairs")
    assert (measured["not_acquired"], measured["accuracy"]) == (1, 0.75)
    assert measured["tmr_at_fmr"]["0.001"] == pytest.approx(2 / 3, abs=1e-4)


def test_the_face_in_the_middle_is_meant(people: Path, tmp_path: Path) -> None:
    group, size = faces.group(), 250
    first, second, *_ = faces.default_pipeline().find(group)
    middle = geometry.crop_square(group, first.box, context=2.0, side_px=size)
    corner = geometry.crop_square(group, second.box, context=1.4, side_px=size)
    wide = np.zeros((3 * size, 3 * size, 3), np.uint8)
    wide[size : 2 * size, size : 2 * size] = middle
    wide[:size, :size] = cv2.convertScaleAbs(corner)
    for name, image in {"Ada_0001": middle, "Ada_0002": wide, "Bo_0001": corner}.items():
        path = tmp_path / name.split("_")[0] / f"{name}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(faces.jpeg(image))
    (tmp_path / "pairs.txt").write_text("1\nAda\t1\t2\nAda\t2\tBo\t1\n")
    (tmp_path / "train.txt").write_text("1\nAda\t1\t2\nAda\t1\tBo\t1\n")
    assert as_json(tmp_path)["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--record"], "--record needs --all-pairs"),
        (["--all-pairs", "--record"], "12 non-mated pairs are too few"),
        (["--pack", "./nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(people: Path, more: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        evaluate(people, "--json", *more)


def test_a_single_set_without_train_pairs_is_refused(people: Path) -> None:
    with pytest.raises(CommandError, match="choose with --train-pairs"):
        evaluate(people, "--json", train=False)


def test_folds_with_train_pairs_are_refused(people: Path) -> None:
    (people / "folds.txt").write_text("2\t1\nAda\t1\t2\nAda\t1\tBo\t1\nBo\t1\t2\nBo\t1\tCyd\t1\n")
    with pytest.raises(CommandError, match="leave --train-pairs out"):
        evaluate(people, "--json", pairs="folds.txt")
    assert json.loads(evaluate(people, "--json", pairs="folds.txt", train=False))["pairs"] == 4


def test_files_that_are_missing_or_malformed_are_named(people: Path) -> None:
    with pytest.raises(CommandError, match=r"cannot read .*absent\.txt"):
        evaluate(people, pairs="absent.txt")
    (people / "broken.txt").write_text("1\nAda\t1\n")
    with pytest.raises(CommandError, match=r"broken\.txt, line 2: expected a mated pair"):
        evaluate(people, pairs="broken.txt")
    (people / "beyond.txt").write_text("1\nAda\t1\t3\nAda\t1\tBo\t1\n")
    with pytest.raises(CommandError, match=r"1 of 6 images are not in .*Ada/Ada_0003\.jpg"):
        evaluate(people, pairs="beyond.txt")


def test_measured_thresholds_are_kept_with_the_pack(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Three people make twelve non-mated pairs; the rule that asks for millions is tested above.
    monkeypatch.setattr("recognition.evaluation.error_rates.LEAST_FALSE_MATCHES", 0)
    measured = as_json(people, "--all-pairs", "--record")
    stored = ModelPack.objects.get()
    assert [point["fmr"] for point in stored.operating_points] == [1e-3, 1e-4, 1e-5]
    assert [point["threshold"] for point in stored.operating_points] == list(measured["thresholds_at_fmr"].values())
    assert stored.measured_on.endswith("all pairs of 6 images")
    assert AuditEntry.objects.filter(action="pack.measured").exists()


class TestReports:
    @pytest.fixture
    def written(self, people: Path, tmp_path: Path) -> Path:
        targets = [f"--{kind}={tmp_path / f'a.{kind}'}" for kind in ("json", "csv", "html")]
        assert "Accuracy                1.0000" in evaluate(people, *targets)
        return tmp_path

    def test_are_written_as_json_as_csv_and_as_one_page_with_plots(self, written: Path) -> None:
        values = json.loads((written / "a.json").read_text())
        assert (values["accuracy"], values["pack"]["name"]) == (1.0, "opencv-zoo")
        rows = dict(csv.reader((written / "a.csv").read_text().splitlines()))
        assert (rows["measure"], rows["accuracy"], rows["pack.digest"]) == ("value", "1.0", values["pack"]["digest"])
        page = (written / "a.html").read_text()
        # Nobody is taken for anybody else here, so there is no trade-off to draw.
        assert page.count("data:image/svg+xml;base64,") == 1
        assert "http:" not in page
        assert values["dataset"]["images"]["sha256"] in page

    def test_are_compared_side_by_side(self, written: Path) -> None:
        first = json.loads((written / "a.json").read_text())
        overlapping = {"mated": {"first": 1300, "counts": [5, 5]}, "non_mated": {"first": 1299, "counts": [5, 5, 5]}}
        other = {**first, "accuracy": 0.75, "pack": {**first["pack"], "name": "<mine>"}, "scores": overlapping}
        (written / "b.json").write_text(json.dumps(other))
        paths = [str(written / "a.json"), str(written / "b.json")]
        out = io.StringIO()
        call_command("evaluate", "compare", *paths, f"--html={written / 'both.html'}", stdout=out)
        (line,) = [line for line in out.getvalue().splitlines() if line.startswith("accuracy ")]
        assert line.split() == ["accuracy", "1.0", "0.75", "-0.25"]
        page = (written / "both.html").read_text()
        assert page.count("data:image/svg+xml;base64,") == 3
        assert "&lt;mine&gt;" in page
        out = io.StringIO()
        call_command("evaluate", "compare", *paths, "--json", stdout=out)
        assert json.loads(out.getvalue())["accuracy"] == {"first": 1.0, "second": 0.75, "difference": -0.25}

    def test_that_cannot_be_written_are_refused_before_the_work(self, people: Path, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"nowhere/a\.csv cannot be written"):
            evaluate(people, f"--csv={tmp_path / 'nowhere' / 'a.csv'}", pairs="absent.txt")

    @pytest.mark.parametrize("content", ["", "[]", '{"kind": "quality"}'])
    def test_that_are_none_or_of_something_else_are_named(self, written: Path, content: str) -> None:
        (written / "b.json").write_text(content)
        with pytest.raises(CommandError, match=r"b\.json"):
            call_command("evaluate", "compare", str(written / "a.json"), str(written / "b.json"))


def test_packs_and_strategies_are_measured_in_one_report(people: Path) -> None:
    given = ["--images", people, "--pairs", people / "pairs.txt", "--train-pairs", people / "train.txt"]
    arguments = ["packs", *map(str, given), "--pack", "opencv-zoo", "--gallery-size", "2", "--seeds", "1"]
    out = io.StringIO()
    call_command("evaluate", *arguments, "--json", stdout=out)
    (pack,) = json.loads(out.getvalue())["packs"]
    assert pack["name"] == "opencv-zoo"
    assert {name: found["accuracy"] for name, found in pack["pairs"].items()} == dict.fromkeys(claims.STRATEGIES, 1.0)
    assert pack["searches"].keys() == {"nearest", "k_nearest", "centroid"}
    assert pack["cross_validated"] == "too_few_others_to_learn: 1, limit 20"
    out = io.StringIO()
    call_command("evaluate", *arguments, stdout=out)
    assert "| opencv-zoo | one image against one | 1.0000 |" in out.getvalue()
    assert "opencv-zoo: not compared. Classifiers learn at most" in out.getvalue()
    with pytest.raises(CommandError, match="--seeds: expected 1 or more, got 0"):
        call_command("evaluate", *arguments, "--seeds", "0")
