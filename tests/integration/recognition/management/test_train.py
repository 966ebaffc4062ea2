"""`faceweb train head`, but for the fitting itself, which needs PyTorch: unit/recognition/training/test_fitting.py."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognition.evaluation.lfw_protocol import ImageName
from recognition.management import evaluating, training
from recognition.management.data_sets import DataSet
from recognition.models import ModelPack
from recognition.training.head import Head
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import Embedding
from tests import faces

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE, IMAGES, DIMENSION, OWN = 300, 3, 128, 4
"""Of the dimensions the first few are a person's own, the others are noise."""

LEAVES_NOISE_OUT = Head(np.diag(np.arange(DIMENSION) < OWN).astype(np.float32), np.zeros(DIMENSION, np.float32))


@dataclasses.dataclass
class Fitting:
    """Stands for `recognition.training.fitting`: finds the head that it is told to."""

    head: Head = LEAVES_NOISE_OUT
    learned_from: int = 0

    Plan = types.SimpleNamespace

    def fitted(self, learning: Any, stopping: Any, plan: Any, told: Any) -> Any:
        self.learned_from = len(learning.people)
        told(1, 0.5)
        return types.SimpleNamespace(head=self.head, best_pass=1, passes=1)


@pytest.fixture
def fitting(monkeypatch: pytest.MonkeyPatch) -> Fitting:
    fake = Fitting()
    monkeypatch.setattr(training, "NEEDED", ())
    monkeypatch.setitem(sys.modules, "recognition.training.fitting", fake)
    monkeypatch.setattr("recognition.training.fitting", fake, raising=False)
    monkeypatch.setattr(evaluating, "embedded", _embedded)
    return fake


def _embedded(
    pipeline: FacePipeline, images: DataSet, wanted: Sequence[ImageName], *, quiet: bool
) -> dict[ImageName, Embedding]:
    found = {}
    for name in wanted:
        own, noise = (np.random.default_rng([int(name.person[1:]), number]) for number in (0, name.number))
        raw = np.concatenate([own.normal(size=OWN), noise.normal(size=DIMENSION - OWN) * 0.2])
        found[name] = Embedding.from_raw(raw, pipeline.pack_digest)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty files: nothing here looks into them."""
    place = tmp_path_factory.mktemp("people")
    for person in (f"p{number}" for number in range(PEOPLE)):
        (place / person).mkdir()
        for number in range(1, IMAGES + 1):
            (place / person / f"{person}_{number:04d}.jpg").touch()
    return place


def train(folder: Path, *more: object, status: int = 0) -> dict[str, Any]:
    out, ended = io.StringIO(), 0
    try:
        call_command("train", "head", "--images", str(folder), *map(str, more), "--json", stdout=out)
    except SystemExit as stop:
        ended = int(stop.code or 0)
    assert ended == status
    values: dict[str, Any] = json.loads(out.getvalue())
    return values


def test_a_better_head_becomes_a_pack_that_is_brought_into_use_and_embeds(
    fitting: Fitting, folder: Path, tmp_path: Path
) -> None:
    values = train(folder, "--out", tmp_path / "mine")
    assert values["is_better"]
    assert values["people"] == {"learning": 210, "stopping": 45, "validation": 45}
    assert fitting.learned_from == 210 * IMAGES
    assert values["operating_points"] == []  # too few pairs for a rate of 1 in 100,000
    photo = tmp_path / "astronaut.jpg"
    photo.write_bytes(faces.jpeg(faces.astronaut()))
    call_command("models", "use", str(tmp_path / "mine"), stdout=io.StringIO())
    used = ModelPack.objects.get(is_active=True)
    assert (used.name, used.dimension, used.location) == ("mine", DIMENSION, str(tmp_path / "mine"))
    call_command("enrol", "Eileen Collins", str(photo), stdout=io.StringIO())
    out = io.StringIO()
    call_command("identify", str(photo), "--json", stdout=out)
    (face,) = json.loads(out.getvalue())["faces"]
    assert face["candidates"][0]["similarity"] == pytest.approx(1.0, abs=1e-3)


def test_a_head_that_is_not_better_is_not_brought_into_use(fitting: Fitting, folder: Path, tmp_path: Path) -> None:
    fitting.head = Head.unchanged(DIMENSION)
    values = train(folder, "--out", tmp_path / "mine", status=1)
    assert not values["is_better"]
    with pytest.raises(CommandError, match="did not tell people apart better than opencv-zoo alone"):
        call_command("models", "use", str(tmp_path / "mine"))
    assert not ModelPack.objects.filter(is_active=True).exists()


def test_the_result_is_told_on_people_who_were_not_learned_from(fitting: Fitting, folder: Path, tmp_path: Path) -> None:
    for name, people in {"pairs": range(100), "test": range(100, 130), "both": range(90, 110)}.items():
        following = [*people[1:], people[0]]
        lines = [f"p{number}\t1\t2\n" for number in people]
        lines += [f"p{number}\t1\tp{other}\t1\n" for number, other in zip(people, following, strict=True)]
        (tmp_path / name).write_text(f"{len(people)}\n{''.join(lines)}")
    options = ["--pairs", tmp_path / "pairs", "--out", tmp_path / "mine"]
    # Of the fifteen people that judge, 45 images make too few pairs to tell any rate.
    values = train(folder, *options, "--test-pairs", tmp_path / "test", status=1)
    assert sum(values["people"].values()) == 100
    assert values["test"]["mated"] == 30 * IMAGES * (IMAGES - 1) // 2
    with pytest.raises(CommandError, match="are in both files of pairs"):
        train(folder, *options, "--test-pairs", tmp_path / "both")


def test_says_in_words_what_came_of_it(fitting: Fitting, folder: Path, tmp_path: Path) -> None:
    out = io.StringIO()
    call_command("train", "head", "--images", str(folder), "--out", str(tmp_path / "mine"), stdout=out)
    assert "On the people that judge it: 135 mated pairs, 8,910 non-mated" in out.getvalue()
    assert "It is better. There are too few pairs to measure its thresholds" in out.getvalue()


def test_files_that_cannot_be_read_get_a_line_and_the_rest_is_learned_from(
    fitting: Fitting, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    animation = folder / "p0" / "animated.gif"
    animation.touch()
    try:
        values = train(folder, "--out", tmp_path / "mine")
    finally:
        animation.unlink()
    assert list(values["unread"]) == ["p0/animated.gif"]
    assert "p0/animated.gif: It is not named like a photo" in capsys.readouterr().err
    assert fitting.learned_from == 210 * IMAGES


def test_too_few_people_are_refused(fitting: Fitting, tmp_path: Path) -> None:
    (tmp_path / "p1").mkdir()
    (tmp_path / "p1" / "1.jpg").touch()
    with pytest.raises(CommandError, match="expected 10 people or more whose faces were found, got 1"):
        train(tmp_path)


def test_without_pytorch_the_command_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "NEEDED", ("torch_of_another_world",))
    with pytest.raises(CommandError, match=r"Training needs torch_of_another_world.*make setup-train"):
        train(folder)
