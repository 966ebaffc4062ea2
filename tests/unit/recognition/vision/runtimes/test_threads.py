from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import joblib
import pytest

from recognition.vision import cores
from recognition.vision.runtimes import threads


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "ROUND_S", 0.002)


@pytest.mark.parametrize(
    ("rates", "fewest"),
    [
        ({1: 0.0}, 1),
        ({1: 50.0, 2: 100.0}, 2),
        ({1: 50.0, 2: 51.0}, 1),
        ({1: 50.0, 2: 52.0}, 2),
        ({1: 50.0, 2: 95.0, 4: 140.0, 8: 143.0}, 4),
        ({1: 50.0, 2: 95.0, 4: 90.0}, 2),
    ],
)
def test_the_fewest_threads_that_get_most_done(rates: Mapping[int, float], fewest: int) -> None:
    assert threads.fewest(rates) == fewest


@pytest.mark.parametrize(("usable", "tried"), [(1, ["1"]), (2, ["1", "2"]), (6, ["1", "2", "4", "6"])])
def test_what_was_measured_is_remembered(
    usable: int, tried: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joblib, "cpu_count", lambda: usable)
    measured = threads.measure(lambda: None, tmp_path / "cache")

    assert cores.remembered_threads(tmp_path / "cache") == measured
    kept = json.loads(cores.note(tmp_path / "cache").read_text())
    assert kept["cores"] == usable
    assert list(kept["calls_per_s"]) == tried


def test_nothing_is_remembered_of_work_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)

    def work() -> None:
        raise RuntimeError("no network")

    with pytest.raises(RuntimeError, match="no network"):
        threads.measure(work, tmp_path)
    assert cores.remembered_threads(tmp_path) is None
