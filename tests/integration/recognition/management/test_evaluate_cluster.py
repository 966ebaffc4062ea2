from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognition.evaluation import reports
from recognition.models import ModelPack, ThresholdPolicy
from tests import data_sets
from tests.data_sets import CONTEXTS

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada and Bo have two images each, and one more of Ada shows nobody."""
    folder = tmp_path_factory.mktemp("people")
    shown = data_sets.of_group({"Ada": CONTEXTS[:2], "Bo": CONTEXTS[:2]})
    shown["Ada"].append(np.full((250, 250, 3), 128, np.uint8))
    data_sets.write(folder, shown)
    return folder


def evaluate(folder: Path, *more: str) -> str:
    out = io.StringIO()
    call_command(
        "evaluate", "cluster", "--images", str(folder), "--people", "2", "--min-images", "2", *more, stdout=out
    )
    return out.getvalue()


@pytest.mark.parametrize("method", ["agglomerative", "hdbscan", "kmeans"])
def test_prints_one_json_object_of_the_policy_in_force(people: Path, method: str) -> None:
    measured: dict[str, Any] = json.loads(evaluate(people, "--method", method, "--json"))
    assert measured.pop("seconds") > 0
    for key in ("kind", *reports.ABOUT):
        assert measured.pop(key)
    assert measured == {
        **{f"{name}_{what}": 1.0 for name in ("bcubed", "pairwise") for what in ("f", "precision", "recall")},
        "clusters": 2,
        "of_one_face": 0,
        "people": 2,
        "images": 5,
        "not_acquired": 1,
        "method": method,
        "threshold": ThresholdPolicy.objects.get(state=ThresholdPolicy.State.ACTIVE).identification_threshold,
        "pack": {"name": "opencv-zoo", "digest": ModelPack.objects.get().digest},
    }


def test_says_in_words_what_was_measured(people: Path) -> None:
    words = evaluate(people)
    assert "Images                  5 of 2 people\nImages not acquired     1\n" in words
    assert "BCubed                  1.0000      1.0000      1.0000\n" in words


def test_more_people_than_there_are_are_refused_before_anything_is_embedded(people: Path) -> None:
    with pytest.raises(CommandError, match="expected 1 to 1, as so many have 3 images or more, got 2"):
        evaluate(people, "--min-images", "3")


def test_images_of_nobody_are_told_in_a_sentence(tmp_path: Path) -> None:
    grey = np.full((60, 60, 3), 128, np.uint8)
    data_sets.write(tmp_path, {"Ada": [grey, grey], "Bo": [grey, grey]})
    with pytest.raises(CommandError, match="No face was found in any of the images"):
        evaluate(tmp_path)
