from __future__ import annotations

import dataclasses
import io
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.decision import classifier_files
from recognition.decision.classifier_files import DamagedClassifier, Trained
from recognition.decision.classifiers import KnnClassifier, SvmClassifier
from recognition.vision.errors import PackMismatch
from tests import fakes

ROWS = np.eye(4, dtype=np.float32)[:3]
KNN = KnnClassifier(ROWS, np.array([0, 7, 8]), np.array([0, 70, 80]))
SVM = SvmClassifier(2 * ROWS, np.array([0.5, 0, -0.5], np.float32), np.array([0, 7, 8]))
BYTES = {kind: classifier_files.dumped(kind, pack_digest=fakes.DIGEST) for kind in (KNN, SVM)}


class Exploding:
    """Runs code where it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("a pickle was loaded",))


def loaded(data: bytes) -> Trained:
    return classifier_files.loaded(data, pack_digest=fakes.DIGEST)


def changed(**members: object) -> bytes:
    """The file of k nearest neighbours with other arrays."""
    with np.load(io.BytesIO(BYTES[KNN])) as stored:
        arrays = {name: stored[name] for name in stored.files}
    data = io.BytesIO()
    np.savez(data, allow_pickle=True, **{**arrays, **members})
    return data.getvalue()


@pytest.mark.parametrize("classifier", [KNN, SVM, KnnClassifier(ROWS[:0], np.empty(0, int), np.empty(0, int))])
def test_comes_back_as_it_went(classifier: Trained) -> None:
    read = loaded(classifier_files.dumped(classifier, pack_digest=fakes.DIGEST))
    assert type(read) is type(classifier)
    for field in dataclasses.fields(classifier):
        np.testing.assert_array_equal(getattr(read, field.name), getattr(classifier, field.name))


def test_of_another_pack_is_refused() -> None:
    with pytest.raises(PackMismatch, match="dddddddddddd, not of eeeeeeeeeeee"):
        classifier_files.loaded(BYTES[SVM], pack_digest="e" * 64)


def compressed() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vectors.npy", bytes(10_000_000))
    return data.getvalue()


def claims_to_be_huge() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive, archive.open("vectors.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "<f4", "fortran_order": False, "shape": (2**50, 128)})
    return data.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        pickle.dumps(Exploding()),
        compressed(),
        claims_to_be_huge(),
        BYTES[KNN][:-30],
        changed(strategy=np.str_("nearest")),
        changed(format=np.int64(2)),
        changed(vectors=np.array([Exploding()], object)),
        changed(vectors=2 * ROWS),
        changed(people=np.array([0, 7])),
        changed(people=np.array([0, 7, -8])),
    ],
)
def test_hostile_bytes_are_refused_and_nothing_of_them_is_run(data: bytes) -> None:
    with pytest.raises(DamagedClassifier, match="that this version of faceweb saved"):
        loaded(data)


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier_files, "MOST_BYTES", 100)
    with pytest.raises(DamagedClassifier):
        loaded(BYTES[KNN])


@settings(max_examples=60)
@given(st.sampled_from([KNN, SVM]), st.integers(0, 10_000), st.binary(min_size=1, max_size=40))
@pytest.mark.filterwarnings("ignore")
def test_bytes_that_were_changed_are_refused_or_change_nothing(classifier: Trained, place: int, junk: bytes) -> None:
    data = bytearray(BYTES[classifier])
    place %= len(data)
    data[place : place + len(junk)] = junk
    try:
        read = loaded(bytes(data))
    except (DamagedClassifier, PackMismatch):
        return
    assert read.learned.tolist() == [7, 8]
