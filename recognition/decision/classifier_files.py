"""Classifiers as the bytes of a `.npz` file, without pickle: what comes back is checked like any other input."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recognition.decision.classifiers import KnnClassifier, SvmClassifier
from recognition.vision.errors import PackMismatch

MOST_BYTES = 256 * 2**20
"""Of a file that is read at all: 120,000 faces of 512 numbers."""

_FORMAT = 1

_KINDS = (KnnClassifier, SvmClassifier)

Trained: TypeAlias = KnnClassifier | SvmClassifier


class DamagedClassifier(ValueError):
    """These bytes are no classifier of this version of the product."""


def dumped(classifier: Trained, *, pack_digest: str) -> bytes:
    """A classifier as the bytes of a `.npz` file.

    Args:
        classifier: which one.
        pack_digest: of the model pack that made the vectors.
    """
    data = io.BytesIO()
    arrays = {name: getattr(classifier, name) for name in _arrays_of(type(classifier))}
    marks = {"format": np.int64(_FORMAT), "strategy": np.str_(classifier.strategy.value), "pack": np.str_(pack_digest)}
    np.savez(data, allow_pickle=False, **marks, **arrays)
    return data.getvalue()


def loaded(data: bytes, *, pack_digest: str) -> Trained:
    """The inverse of `dumped`.

    Args:
        data: as they were kept.
        pack_digest: of the model pack whose vectors are to be classified.

    Raises:
        DamagedClassifier: for any other bytes; no code of them is ever run.
        PackMismatch: when it was trained on vectors of another pack.
    """
    try:
        arrays = _arrays(data)
        strategy, digest, number = (str(arrays.pop(mark)) for mark in ("strategy", "pack", "format"))
        kind = next(kind for kind in _KINDS if kind.strategy == strategy and number == str(_FORMAT))
        classifier = kind(**{name: arrays[name] for name in _arrays_of(kind)})
    # Hostile bytes make the readers of zip and npy stumble in many ways, which all mean the same.
    except Exception as error:
        raise DamagedClassifier("expected a classifier that this version of faceweb saved") from error
    if digest != pack_digest:
        raise PackMismatch(
            f"The classifier was trained on vectors of the model pack {digest[:12]}, not of {pack_digest[:12]}."
        )
    return classifier


def _arrays(data: bytes) -> dict[str, NDArray[Any]]:
    if len(data) > MOST_BYTES:
        raise DamagedClassifier(f"expected at most {MOST_BYTES} bytes, got {len(data)}")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # Members that are stored as they are, none twice, cannot unpack to more than the file.
        sizes = [member.file_size for member in archive.infolist() if member.compress_type == zipfile.ZIP_STORED]
        if len(sizes) < len(archive.infolist()) or sum(sizes) > len(data):
            raise DamagedClassifier("expected members that are not compressed")
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _arrays_of(kind: type[KnnClassifier] | type[SvmClassifier]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind) if field.init)
