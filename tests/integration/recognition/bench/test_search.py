"""A few templates in place of a million: every method answers, and the exact ones are right."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.bench import search, search_methods, searches
from recognition.models import FaceTemplate
from tests import fakes

pytestmark = pytest.mark.django_db(transaction=True)  # VACUUM wants no transaction

ROWS = 2_000


def test_the_methods_of_the_command_are_those_that_there_are() -> None:
    assert set(searches.METHODS) == set(search_methods.METHODS)


def test_every_method_finds_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.activated_pack(dimension=128)
    monkeypatch.setattr(search, "PROBES", 40)
    measured = search.measure(ROWS, list(searches.METHODS))
    assert (measured.rows, measured.chosen) == (ROWS, "sketches")
    assert FaceTemplate.objects.count() == ROWS
    stored = FaceTemplate.objects.order_by("sample").values_list("embedding", flat=True)
    assert np.linalg.norm(stored[0]) == pytest.approx(1, abs=1e-5)
    for name, found in measured.methods.items():
        assert found.recall_at_1 > 0.9, name
        assert 0 < found.p50_ms <= found.p95_ms, name
    assert {measured.methods[name].recall_at_1 for name in ("exact", "exact_numpy", "sketches")} == {1.0}
    assert measured.methods["hnsw"].disk_mb > 0
