from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from recognition import checks


def test_a_complete_installation_has_no_faults() -> None:
    assert [*checks.check_runtime(), *checks.check_opencv(), *checks.check_cache_dir()] == []


@pytest.mark.parametrize(("demanded", "way"), [("openvino", "make setup"), ("cuda", "a build of onnxruntime with it")])
def test_a_demanded_runtime_that_is_missing_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, demanded: str, way: str
) -> None:
    settings.FACEWEB_RUNTIME = demanded
    monkeypatch.setattr("recognition.vision.runtimes.choice.installed", lambda name: name != demanded)

    (fault,) = checks.check_runtime()
    assert fault.id == "recognition.E001"
    assert way in str(fault.hint)


def test_a_second_build_of_opencv_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OPENCV_BUILDS", ("opencv-python-headless", "numpy"))

    assert [fault.id for fault in checks.check_opencv()] == ["recognition.E002"]


def test_a_cache_directory_that_cannot_be_written_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FACEWEB_CACHE_DIR = Path("/proc/faceweb/cache")
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write almost anywhere

    assert [fault.id for fault in checks.check_cache_dir()] == ["recognition.E003"]
