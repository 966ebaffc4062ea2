"""The default pack on LFW view 1, through the command that its thresholds were measured with."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command

from recognition.vision import model_packs

LEAST_ACCURACY = 0.988
LEAST_TMR = {"0.0001": 0.984}
THRESHOLD_TOLERANCE = 0.005
"""Runtimes and processors round differently; a changed network or preprocessing moves thresholds further."""


@pytest.mark.accuracy
@pytest.mark.django_db
def test_view_1_finds_the_shipped_thresholds_again_and_reaches_the_targets(shared_data: Path) -> None:
    view = shared_data / "lfw-view1"
    out = io.StringIO()
    arguments = ["--images", view / "images", "--pairs", view / "pairsDevTest.txt"]
    call_command(
        "evaluate",
        "pairs",
        *map(str, [*arguments, "--train-pairs", view / "pairsDevTrain.txt"]),
        "--all-pairs",
        "--json",
        stdout=out,
    )
    measured = json.loads(out.getvalue())

    assert (measured["pairs"], measured["images"], measured["mated"], measured["non_mated"]) == (
        1000,
        4992,
        3192,
        12_454_344,
    )
    assert measured["not_acquired"] == 0
    assert measured["accuracy"] >= LEAST_ACCURACY
    assert {fmr: tmr for fmr, tmr in measured["tmr_at_fmr"].items() if tmr < LEAST_TMR.get(fmr, 0.0)} == {}
    for point in model_packs.OPENCV_ZOO_OPERATING_POINTS:
        found = measured["thresholds_at_fmr"][f"{point.fmr:.5f}".rstrip("0")]
        assert found == pytest.approx(point.threshold, abs=THRESHOLD_TOLERANCE)
