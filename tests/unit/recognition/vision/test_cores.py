from __future__ import annotations

from pathlib import Path

import joblib
import pytest

from recognition.vision import cores


@pytest.mark.parametrize(
    ("kept", "threads"),
    [
        (None, None),
        ("", None),
        ("[]", None),
        ("{}", None),
        ('{"threads": "2"}', None),
        ('{"threads": 0}', None),
        ('{"threads": 5}', None),
        ('{"threads": 1}', 1),
        ('{"threads": 4}', 4),
    ],
)
def test_remembers_as_many_threads_as_there_can_be_cores_for(
    kept: str | None, threads: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joblib, "cpu_count", lambda: 4)
    if kept is not None:
        cores.note(tmp_path).write_text(kept)
    assert cores.remembered_threads(tmp_path) == threads


def test_what_was_measured_with_other_cores_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joblib, "cpu_count", lambda: 8)
    cores.note(tmp_path).write_text('{"threads": 2}')
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    assert cores.remembered_threads(tmp_path) is None


def test_at_least_one_core_is_usable() -> None:
    assert cores.usable() >= 1
