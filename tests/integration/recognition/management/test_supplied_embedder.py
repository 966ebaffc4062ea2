"""An embedder that somebody brought along is listed, measured, and only then decides: here SFace's own file."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from recognition import wiring
from recognition.models import ModelPack, ThresholdPolicy
from recognition.services import packs
from recognition.services.pack_rules import ThresholdsNotMeasured
from recognition.vision import model_packs
from recognition.vision.supplied_packs import MANIFEST_NAME
from tests import data_sets, faces

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("needs_no_compiling")]

MANIFEST = """
name = "SFace of ours"
file = "sface.onnx"
dimension = 128

[input]
size = 112
channels = "RGB"
mean = 0
std = 1

[alignment]
method = "arcface"

[licence]
name = "Apache-2.0"
url = "https://example.org/licence"
commercial_use = true
"""


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """The pack `sface`, in the folder of packs."""
    settings.FACEWEB_MODEL_DIR = tmp_path / "models"
    folder = tmp_path / "models" / "sface"
    folder.mkdir(parents=True)
    shutil.copy(model_packs.opencv_zoo_pack().file("embedder"), folder / "sface.onnx")
    (folder / MANIFEST_NAME).write_text(MANIFEST)
    return folder


@pytest.fixture
def people(tmp_path: Path) -> Path:
    place = tmp_path / "people"
    place.mkdir()
    data_sets.write(place, data_sets.of_group(dict.fromkeys(("Ada", "Bo", "Cyd"), (2.0, 2.4))))
    (place / "pairs.txt").write_text("2\nAda\t1\t2\nBo\t1\t2\nAda\t1\tBo\t1\nAda\t2\tCyd\t1\n")
    (place / "train.txt").write_text("1\nCyd\t1\t2\nCyd\t1\tBo\t2\n")
    return place


def answer(*arguments: object, status: int = 0) -> dict[str, Any]:
    out, ended = io.StringIO(), 0
    try:
        call_command(*map(str, arguments), "--json", stdout=out)
    except SystemExit as stop:
        ended = int(stop.code or 0)
    assert ended == status, out.getvalue()
    values: dict[str, Any] = json.loads(out.getvalue())
    return values


def measured(people: Path, pack: str, *more: str) -> dict[str, Any]:
    pairs = ("--images", people, "--pairs", people / "pairs.txt", "--train-pairs", people / "train.txt")
    return answer("evaluate", "pairs", *pairs, "--all-pairs", "--pack", pack, *more)


def test_is_measured_before_it_is_used_and_decides_by_what_was_measured(
    folder: Path, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = next(pack for pack in answer("models")["packs"] if pack["name"] == "SFace of ours")
    assert (listed["usable"], listed["licence"], listed["operating_points"]) == (True, "Apache-2.0", [])
    assert (listed["dimension"], listed["may_be_used"]) == (128, False)
    assert (listed["licence_url"], listed["commercial_use"]) == ("https://example.org/licence", True)
    with pytest.raises(CommandError, match=rf"Measure it first: faceweb evaluate pairs .* --pack {folder} --record"):
        call_command("models", "use", "sface")
    with pytest.raises(CommandError, match="Measure it first"):
        call_command("models", "use", "sface", "--yes", "--force")
    stored = ModelPack.objects.get()
    assert (stored.is_active, stored.is_supplied, stored.location) == (False, True, str(folder))
    with pytest.raises(ThresholdsNotMeasured, match="never measured here"):
        packs.activate(pack=stored, actor=None)

    # Three people make twelve non-mated pairs; the rule that asks for millions has a test of its own.
    monkeypatch.setattr("recognition.evaluation.error_rates.LEAST_FALSE_MATCHES", 0)
    theirs, ours = measured(people, "opencv-zoo"), measured(people, "sface", "--record")
    assert (ours["accuracy"], ours["tmr_at_fmr"]) == (theirs["accuracy"], theirs["tmr_at_fmr"])
    assert ours["thresholds_at_fmr"] == pytest.approx(theirs["thresholds_at_fmr"], abs=2e-3)
    assert ours["pack"]["digest"] == stored.digest != theirs["pack"]["digest"]

    assert answer("models", "use", "sface")["decides"] is True
    policy = ThresholdPolicy.objects.get(pack=stored, state="active")
    assert policy.identification_threshold == pytest.approx(ours["thresholds_at_fmr"]["0.00001"], abs=1e-4)


def test_of_another_version_is_another_pack_that_is_measured_anew(folder: Path) -> None:
    first = wiring.find_local_pack("sface").digest()
    (folder / MANIFEST_NAME).write_text(MANIFEST.replace("std = 1", "std = 2"))
    assert wiring.find_local_pack("sface").digest() != first


def test_makes_the_vectors_that_the_shipped_pack_makes_of_the_same_file(folder: Path) -> None:
    ours = wiring.load(wiring.find_local_pack(str(folder)), wiring.runtime_options()).pipeline
    theirs = faces.default_pipeline()
    group = faces.group()
    found = theirs.find(group)
    for one, other in zip(theirs.embed(group, found), ours.embed(group, ours.find(group)), strict=True):
        assert float(one.embedding.vector @ other.embedding.vector) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("said", "instead", "problem"),
    [
        ("dimension = 128", "dimension = 512", r"sface\.onnx: the manifest says vectors of 512 numbers"),
        ("size = 112", "size = 160", r"sface\.onnx: the manifest says an input of NCHW \(n, 3, 160, 160\)"),
        ('"RGB"', '"rgb"', r"embedder\.toml: input\.channels: expected"),
        ('"sface.onnx"', '"absent.onnx"', r"embedder\.toml names absent\.onnx, which is not in"),
        (
            "dimension = 128",
            'dimension = 128\ndetector = "../sface"',
            r"detector: \.\./sface has no detector of its own",
        ),
        ("dimension = 128", 'dimension = 128\ndetector = "/nowhere"', "There is no model pack in /nowhere"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_a_line_by_models_and_doctor(
    folder: Path, said: str, instead: str, problem: str
) -> None:
    assert MANIFEST.count(said) == 1
    (folder / MANIFEST_NAME).write_text(MANIFEST.replace(said, instead))
    (listed,) = (pack for pack in answer("models")["packs"] if pack["name"] == str(folder))
    assert listed["usable"] is False
    (told,) = answer("doctor", status=1)["problems"]
    for line in (listed["problem"], told):
        assert line.isprintable()
    with pytest.raises(CommandError, match=problem):
        call_command("models", "use", "sface")
    assert problem.replace("\\", "").split(":")[0] in told
    (folder / MANIFEST_NAME).write_text(MANIFEST)
    assert answer("doctor")["problems"] == []
