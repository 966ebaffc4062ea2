from __future__ import annotations

import json

from recognition.admin import charts
from recognition.admin.charts import Axis, Bars, Line


def test_lines_are_told_apart_without_colours_and_have_their_axes() -> None:
    chart = charts.lines(
        Line("full", [(0.1, 1.0)], charts.FIRST),
        Line("dashed", [], charts.SECOND, (8, 3)),
        x=Axis("FMR in %", is_logarithmic=True),
        y=Axis("FNMR in %", least=0.0, most=50.0),
        summary="falls",
    )
    full, dashed = json.loads(chart.data)["datasets"]
    assert (full["data"], full["borderDash"], full["borderColor"]) == ([{"x": 0.1, "y": 1.0}], [], charts.FIRST)
    assert (dashed["data"], dashed["borderDash"]) == ([], [8, 3])
    scales = json.loads(chart.options)["scales"]
    assert (scales["x"]["type"], scales["y"]["type"]) == ("logarithmic", "linear")
    assert "min" not in scales["x"]
    assert (scales["y"]["min"], scales["y"]["max"]) == (0.0, 50.0)
    assert chart.summary == "falls"


def test_a_group_without_a_value_has_no_bar() -> None:
    chart = charts.bars(["door", "gate"], Bars("FAR", [1.5, None], charts.FIRST), unit="%", summary="two")
    data = json.loads(chart.data)
    assert data["labels"] == ["door", "gate"]
    assert data["datasets"][0]["data"] == [1.5, None]
    assert json.loads(chart.options)["scales"]["y"]["min"] == 0.0
