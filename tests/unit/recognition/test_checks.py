from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from recognition import checks


def test_a_complete_installation_has_no_faults() -> None:
    assert [*checks.check_runtime(), *checks.check_opencv(), *checks.check_cache_dir()] == []


def test_a_demanded_runtime_that_is_missing_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FACEWEB_RUNTIME = "openvino"
    monkeypatch.setattr("recognition.vision.runtimes.choice.installed", lambda name: name != "openvino")

    assert [fault.id for fault in checks.check_runtime()] == ["recognition.E001"]


def test_a_second_build_of_opencv_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OPENCV_BUILDS", ("opencv-python-headless", "numpy"))

    assert [fault.id for fault in checks.check_opencv()] == ["recognition.E002"]


def test_a_cache_directory_that_cannot_be_written_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FACEWEB_CACHE_DIR = Path("/proc/faceweb/cache")
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write almost anywhere

    assert [fault.id for fault in checks.check_cache_dir()] == ["recognition.E003"]
