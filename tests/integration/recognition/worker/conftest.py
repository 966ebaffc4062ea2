from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from recognition.models import ModelPack
from recognition.worker import packs


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def small_runtime(settings: Settings, cache_dir: Path) -> None:
    """The runtime that needs no compiling, and a cache of the tests' own."""
    settings.FACEWEB_RUNTIME = "onnxruntime"
    settings.FACEWEB_CACHE_DIR = cache_dir
    settings.FACEWEB_WORKER_THREADS = 2


@pytest.fixture
def default_pack(small_runtime: None) -> ModelPack:
    """The default pack, active, with its real digest and policy. Needs the database."""
    packs.ensure_active()
    return ModelPack.objects.get(is_active=True)
