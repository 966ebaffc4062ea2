"""`faceweb video` on real models: somebody who is enrolled walks through a video, and a stranger does."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognition.models import Person, RecognitionEvent
from recognition.vision.videos import Video
from recognition.worker import packs
from tests import faces, fakes, films

pytestmark = pytest.mark.django_db


@pytest.fixture
def default_pack() -> None:
    packs.ensure_active()


@pytest.fixture
def eileen(default_pack: None) -> Person:
    pipeline = faces.default_pipeline()
    (embedded,) = pipeline.embed(faces.astronaut(), pipeline.find(faces.astronaut()))
    return fakes.person("=Eileen", embedded.embedding)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return films.of_the_astronaut(tmp_path_factory.mktemp("film") / "film.mp4")


def told(*arguments: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("video", *map(str, arguments), "--json", stdout=out)
    values: dict[str, Any] = json.loads(out.getvalue())
    return values


def test_who_walks_through_is_told_and_stored(eileen: Person, film: Path, tmp_path: Path) -> None:
    annotated, table, crops = tmp_path / "annotated.mp4", tmp_path / "people.csv", tmp_path / "crops"
    found = told(film, "--out", annotated, "--csv", table, "--crops", crops)
    (person,) = found["people"]
    assert (person["person_id"], person["appearances"]) == (eileen.pk, 1)
    assert person["first_s"] == pytest.approx(0.5, abs=0.11)
    assert person["last_s"] == pytest.approx(1.7, abs=0.11)
    assert (found["frames"], found["broke_off"], found["events"]) == (25, False, 1)

    event = RecognitionEvent.objects.get()
    assert (event.decision, event.person, event.operator) == ("accept", eileen, None)
    assert [(reason["reason"], reason["measured"]) for reason in event.reasons] == [
        ("from_video", pytest.approx(0.5, abs=0.11))
    ]
    with Video(annotated) as video:
        pictures = [frame.image_bgr for frame in video.frames()]
    assert len(pictures) == 25
    with Video(film) as video:
        drawn = [
            int((np.abs(picture.astype(int) - frame.image_bgr) > 60).sum())
            for picture, frame in zip(pictures, video.frames(), strict=True)
        ]
    assert (drawn[2], drawn[23]) == (0, 0)
    assert drawn[10] > 1_000
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["kind"], row["name"]) for row in rows] == [("person", "'=Eileen"), ("appearance", "'=Eileen")]
    assert [path.name for path in crops.iterdir()] == [f"person-{eileen.pk}.jpg"]


def test_a_stranger_is_unknown_and_nothing_need_be_stored(default_pack: None, film: Path) -> None:
    found = told(film, "--no-events")
    assert (found["people"], found["events"]) == ([], 0)
    assert [each["decision"] for each in found["appearances"]] == ["reject_no_match"]
    assert not RecognitionEvent.objects.exists()


def test_a_person_is_compared_with_all_good_frames(eileen: Person, film: Path) -> None:
    check = told(film, "--person", "=Eileen")
    assert check["decision"] == "accept"
    assert check["threshold"] < check["mean"] <= check["best"] <= 1.0
    assert check["frames"] >= 10
    assert not RecognitionEvent.objects.exists()


def test_somebody_else_is_not_in_it(default_pack: None, film: Path) -> None:
    pipeline = faces.default_pipeline()
    fakes.person("Somebody", pipeline.embed(faces.group(), pipeline.find(faces.group())[:1])[0].embedding)
    with pytest.raises(SystemExit) as ended:
        call_command("video", str(film), "--person", "Somebody", stdout=(out := StringIO()))
    assert ended.value.code == 1
    assert out.getvalue().startswith("No: mean similarity")


def test_a_video_of_nobody_is_no_error(default_pack: None, tmp_path: Path) -> None:
    call_command("video", str(films.of_nobody(tmp_path / "empty.mp4")), stdout=(out := StringIO()))
    assert "No face was found.\n0 events were stored." in out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["absent.mp4"], "cannot be read"),
        (["text.mp4"], "is no video"),
        (["text.mp4", "--fps", "0"], "--fps"),
        (["text.mp4", "--fps", "nan"], "--fps"),
        (["text.mp4", "--out", "text.mp4"], "is there already"),
        (["text.mp4", "--csv", "text.mp4"], "is there already"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    arguments: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("no video")
    with pytest.raises(CommandError, match=reason) as refused:
        call_command("video", *arguments)
    assert refused.value.returncode == 2


def test_another_ending_is_refused_before_anything_is_stored(eileen: Person, film: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"written as \.mp4"):
        call_command("video", str(film), "--out", str(tmp_path / "a.gif"))
    assert not RecognitionEvent.objects.exists()
