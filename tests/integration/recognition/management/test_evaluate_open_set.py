from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognition.evaluation import reports
from recognition.evaluation.lfw_protocol import ImageName
from recognition.management.data_sets import DataSet
from recognition.models import ModelPack, ThresholdPolicy
from tests import data_sets, faces
from tests.data_sets import CONTEXTS

pytestmark = pytest.mark.django_db

RIGHT = {"fpir": 0.0, "fnir": 0.0, "rank1": 1.0}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada has three images, Bo two, Cyd one; all cut from the group photo."""
    folder = tmp_path_factory.mktemp("people")
    data_sets.write(folder, data_sets.of_group({"Ada": CONTEXTS, "Bo": CONTEXTS[:2], "Cyd": CONTEXTS[:1]}))
    (folder / "Ada" / "notes.jpg").write_text("not an image of the data set")
    return folder


def evaluate(folder: Path, *more: str, size: int = 2) -> str:
    out = io.StringIO()
    call_command("evaluate", "open-set", "--images", str(folder), "--gallery-size", str(size), *more, stdout=out)
    return out.getvalue()


def as_json(folder: Path, *more: str, size: int = 2) -> dict[str, Any]:
    measured: dict[str, Any] = json.loads(evaluate(folder, "--json", *more, size=size))
    return measured


def test_prints_one_json_object_of_the_policy_in_force_and_no_progress(
    people: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    measured = as_json(people)
    assert capfd.readouterr().err == ""
    policy = ThresholdPolicy.objects.get(state=ThresholdPolicy.State.ACTIVE)
    assert measured.pop("seconds") > 0
    det, trials = measured.pop("det"), measured.pop("trials")
    for key in ("kind", "runtime", *reports.ABOUT):
        assert measured.pop(key)
    assert {"threshold": round(policy.identification_threshold, 4), "fpir": 0.0, "fnir": 0.0} in det
    assert [trial["seed"] for trial in trials] == [0]
    assert trials[0]["det"] == det
    assert measured == {
        "gallery_size": 2,
        "seed": 0,
        "threshold": policy.identification_threshold,
        "margin": policy.margin,
        **RIGHT,
        "without_margin": RIGHT,
        "mated": 3,
        "non_mated": 1,
        "not_acquired": 0,
        "second_sample": {"people": 1, "one": RIGHT, "two": RIGHT},
        "strategies": {"nearest": RIGHT, "k_nearest": RIGHT, "centroid": RIGHT},
        "pack": {"name": "opencv-zoo", "digest": ModelPack.objects.get().digest},
    }


def test_measures_several_galleries_and_prints_their_means(people: Path) -> None:
    measured = as_json(people, "--seed", "3", "--seeds", "2", size=1)
    assert (measured["seed"], [trial["seed"] for trial in measured["trials"]]) == (3, [3, 4])
    for count in ("mated", "non_mated"):
        assert measured[count] == sum(trial[count] for trial in measured["trials"]) / 2


def test_says_in_words_what_was_measured(people: Path) -> None:
    words = evaluate(people, "--seeds", "2")
    assert "2 people, one image each" in words
    assert "as decided              0.00%       0.00%       100.00%" in words
    for row in (
        "without the margin",
        "seed 0",
        "seed 1",
        "one image",
        "two, nearest",
        "two, k_nearest",
        "two, centroid",
    ):
        assert f"\n{row:<24}0.00%" in words


def test_an_image_without_a_face_is_a_miss_of_whom_it_shows(people: Path, tmp_path: Path) -> None:
    for source in people.glob("*/*_*.jpg"):
        target = tmp_path / source.relative_to(people)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())
    (tmp_path / "Ada" / "Ada_0003.jpg").write_bytes(faces.jpeg(np.full((250, 250, 3), 128, np.uint8)))
    measured = as_json(tmp_path)
    assert (measured["not_acquired"], measured["fnir"]) == (1, pytest.approx(1 / 3, abs=1e-4))


@pytest.mark.parametrize(
    ("size", "more", "said"),
    [
        (3, [], "expected 1 to 2 people, as so many have two images or more, got 3"),
        (0, [], "expected 1 to 2 people"),
        (2, ["--seeds", "0"], "--seeds: expected 1 or more, got 0"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(people: Path, size: int, more: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        evaluate(people, *more, size=size)


def test_a_folder_without_images_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no folder of a person with images"):
        evaluate(tmp_path)
    with pytest.raises(CommandError, match=r"nowhere cannot be read"):
        evaluate(tmp_path / "nowhere")


def test_any_folder_of_people_is_a_data_set_with_its_images_numbered_by_name(people: Path, tmp_path: Path) -> None:
    for number, source in enumerate(sorted(people.glob("*/*_*.jpg"))):
        target = tmp_path / source.parent.name / f"photo {number}.JPEG"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(source.read_bytes())
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "1.jpg").write_bytes(b"")
    images = DataSet(tmp_path)
    found = images.found()
    assert [(name.person, name.number) for name in found] == [
        ("Ada", 1),
        ("Ada", 2),
        ("Ada", 3),
        ("Bo", 1),
        ("Bo", 2),
        ("Cyd", 1),
    ]
    assert found[1].path == "Ada/photo 1.JPEG"
    assert images.located([ImageName("Bo", 2), ImageName("Eve", 1)]) == [found[4], ImageName("Eve", 1)]
    html = tmp_path / "report.html"
    assert json.loads(evaluate(tmp_path, "--json", f"--html={html}"))["rank1"] == 1.0
    assert "<h1>faceweb evaluate open-set</h1>" in html.read_text()


def test_a_pack_without_thresholds_has_no_error_rates(people: Path) -> None:
    evaluate(people)
    ModelPack.objects.update(operating_points=[])
    with pytest.raises(CommandError, match="opencv-zoo has no measured thresholds"):
        evaluate(people)
