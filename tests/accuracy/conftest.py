"""Each real face is embedded once for all tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from recognition.evaluation.lfw_protocol import ImageName
from recognition.management import evaluating
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import Embedding

Kept = dict[tuple[str, Path, ImageName], Embedding | None]


@pytest.fixture(scope="session")
def kept() -> Kept:
    """What was embedded, for all tests of the session."""
    return {}


@pytest.fixture
def embeds_once(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what `faceweb evaluate` embeds: thousands of images take minutes, and every run gives the same."""
    embed = evaluating.embedded

    def embedded(
        pipeline: FacePipeline, folder: Path, wanted: Sequence[ImageName], *, quiet: bool
    ) -> dict[ImageName, Embedding]:
        keys = {name: (pipeline.pack_digest, folder, name) for name in wanted}
        missing = [name for name, key in keys.items() if key not in kept]
        found = embed(pipeline, folder, missing, quiet=quiet) if missing else {}
        kept.update({keys[name]: found.get(name) for name in missing})
        return {name: embedding for name, key in keys.items() if (embedding := kept[key]) is not None}

    monkeypatch.setattr(evaluating, "embedded", embedded)
