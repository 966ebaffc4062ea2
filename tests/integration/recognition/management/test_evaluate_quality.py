from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognition.evaluation import reports
from recognition.models import ModelPack, ThresholdPolicy
from tests import data_sets, faces
from tests.data_sets import CONTEXTS

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada has two images and a blurred one, Bo two, one image shows nobody."""
    folder = tmp_path_factory.mktemp("people")
    shown = data_sets.of_group({"Ada": CONTEXTS[:2], "Bo": CONTEXTS[:2]})
    shown["Ada"].append(np.asarray(cv2.GaussianBlur(shown["Ada"][-1], (0, 0), 3), np.uint8))
    shown["Cyd"] = [np.full((250, 250, 3), 128, np.uint8)]
    data_sets.write(folder, shown)
    return folder


def evaluate(folder: Path, *more: str) -> str:
    out = io.StringIO()
    call_command("evaluate", "quality", "--images", str(folder), *more, stdout=out)
    return out.getvalue()


def test_prints_one_json_object_of_the_policy_in_force_and_no_progress(
    people: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # Whoever loads the networks first on a machine tells which runtime is faster there.
    faces.default_pipeline()
    capfd.readouterr()
    measured: dict[str, Any] = json.loads(evaluate(people, "--json"))
    assert capfd.readouterr().err == ""
    assert measured.pop("seconds") > 0
    for key in ("kind", "runtime", *reports.ABOUT):
        assert measured.pop(key)
    curve, percentiles = measured.pop("curve"), measured.pop("percentiles")
    assert [point["discarded"] for point in curve] == [0.0, 0.05, 0.1, 0.2]
    assert [point["mated"] for point in curve] == [4, 4, 4, 2]
    assert curve[3]["least_quality"] > curve[0]["least_quality"]
    assert curve[3]["fnmr"] == 0.0
    assert list(percentiles.values()) == sorted(percentiles.values())
    assert measured == {
        "images": 6,
        "not_acquired": 1,
        "threshold": ThresholdPolicy.objects.get(state=ThresholdPolicy.State.ACTIVE).verification_threshold,
        "pack": {"name": "opencv-zoo", "digest": ModelPack.objects.get().digest},
    }


def test_says_in_words_what_was_measured(people: Path) -> None:
    words = evaluate(people)
    assert "Worst images left out   Score from  Mated pairs  Missed  FNMR" in words
    assert "\n20%   " in words


def test_images_of_nobody_are_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "Cyd").mkdir()
    (tmp_path / "Cyd" / "Cyd_0001.jpg").write_bytes(faces.jpeg(np.full((250, 250, 3), 128, np.uint8)))
    with pytest.raises(CommandError, match="No face was found in any of the images"):
        evaluate(tmp_path)


def test_a_pack_without_thresholds_has_no_error_rates(people: Path) -> None:
    evaluate(people)
    ModelPack.objects.update(operating_points=[])
    with pytest.raises(CommandError, match="opencv-zoo has no measured thresholds"):
        evaluate(people)
