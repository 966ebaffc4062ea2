"""Each real face is embedded once for all tests, and again only where something changed that has a part in it."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from recognition.evaluation.lfw_protocol import ImageName
from recognition.management import evaluating
from recognition.management.data_sets import DataSet
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import Embedding
from tests.processes import PROJECT

CODE = (
    "recognition/vision",
    "recognition/evaluation",
    "recognition/management/data_sets.py",
    "recognition/management/evaluating.py",
    "recognition/wiring.py",
)
PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "openvino")


class KeptEmbeddings:
    """A file of embeddings per pack, which processes share: who comes second waits for what the first one computes."""

    def __init__(self, folder: Path, pack_digest: str) -> None:
        """Nothing is read yet."""
        self._path = folder / f"{pack_digest}-{_fingerprint()}.npz"
        self._pack_digest = pack_digest

    def read(self) -> dict[str, Embedding | None]:
        """By image; None where an image shows no face."""
        if not self._path.exists():
            return {}
        with np.load(self._path) as stored:
            return {
                str(image): None if np.isnan(vector).any() else Embedding(vector, self._pack_digest)
                for image, vector in zip(stored["images"], stored["vectors"], strict=True)
            }

    def write(self, kept: Mapping[str, Embedding | None]) -> None:
        """Replaces what is kept, as a whole or not at all."""
        dimension = next(embedding.dimension for embedding in kept.values() if embedding)
        nobody = np.full(dimension, np.nan, np.float32)
        vectors = [embedding.vector if embedding else nobody for embedding in kept.values()]
        part = self._path.with_suffix(".part.npz")
        np.savez(part, images=np.array(list(kept)), vectors=np.stack(vectors))
        part.replace(self._path)
        for former in self._path.parent.glob(f"{self._pack_digest}-*.npz"):
            if former != self._path:
                former.unlink()


def _fingerprint() -> str:
    """Of all that makes an embedding of an image, but for the pack."""
    digest = hashlib.sha256()
    for part in CODE:
        path = PROJECT / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(f"{file.relative_to(PROJECT)}\n".encode() + file.read_bytes())
    for package in PACKAGES:
        digest.update(f"{package} {importlib.metadata.version(package)}\n".encode())
    return digest.hexdigest()


def _image(folder: Path, name: ImageName) -> str:
    """An image by its place, size and time of change."""
    path = folder / name.path
    found = path.stat()
    return f"{path} {found.st_size} {found.st_mtime_ns}"


@pytest.fixture
def embeds_once(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what `faceweb evaluate` embeds: thousands of images take minutes, and every run gives the same.

    The file is in pytest's cache: `pytest --cache-clear` forgets it.
    """
    embed = evaluating.embedded
    assert pytestconfig.cache is not None
    cache = pytestconfig.cache.mkdir("embeddings")

    def embedded(
        pipeline: FacePipeline, data_set: DataSet, wanted: Sequence[ImageName], *, quiet: bool
    ) -> dict[ImageName, Embedding]:
        file = KeptEmbeddings(cache, pipeline.pack_digest)
        images = {name: _image(data_set.folder, name) for name in wanted}
        with (cache / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = file.read()
            if missing := [name for name, image in images.items() if image not in kept]:
                found = embed(pipeline, data_set, missing, quiet=quiet)
                kept.update({images[name]: found.get(name) for name in missing})
                file.write(kept)
        return {name: embedding for name, image in images.items() if (embedding := kept[image]) is not None}

    monkeypatch.setattr(evaluating, "embedded", embedded)
