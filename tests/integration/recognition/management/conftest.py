"""What the tests of all commands share."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from recognition import wiring
from recognition.vision.model_packs import ModelPack
from recognition.vision.runtimes.choice import RuntimeOptions
from recognition.wiring import LoadedPack


@pytest.fixture(scope="session")
def packs_in_memory() -> dict[tuple[tuple[Path, ...], RuntimeOptions], LoadedPack]:
    """Packs that a command of this run has loaded."""
    return {}


@pytest.fixture(autouse=True)
def _pack_is_loaded_once(
    monkeypatch: pytest.MonkeyPatch, packs_in_memory: dict[tuple[tuple[Path, ...], RuntimeOptions], LoadedPack]
) -> None:
    """Commands called in this process share a loaded pack: a user's are processes and load it each time (1 s)."""
    load = wiring.load

    def load_once(pack: ModelPack, options: RuntimeOptions) -> LoadedPack:
        key = tuple(file.path for file in pack.files), options
        if key not in packs_in_memory:
            packs_in_memory[key] = load(pack, options)
        return packs_in_memory[key]

    monkeypatch.setattr(wiring, "load", load_once)


@pytest.fixture
def needs_no_compiling(settings: Settings) -> None:
    """The runtime that is there at once."""
    settings.FACEWEB_RUNTIME = "onnxruntime"
