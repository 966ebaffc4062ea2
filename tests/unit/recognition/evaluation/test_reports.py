from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.evaluation import gallery_scores, reports
from recognition.evaluation.gallery_scores import Tally
from recognition.evaluation.reports import ComparedRow, Curve, InvalidReport, NotComparable, Report, Row


def tally(mated: list[float], non_mated: list[float]) -> Tally:
    return Tally.of_pairs(*(gallery_scores.binned(np.array(scores, np.float32)) for scores in (mated, non_mated)))


def report(**values: Any) -> Report:
    return Report.parse(json.dumps({"kind": "pairs", **values}))


def test_a_report_of_nothing_has_its_kind_and_no_curve() -> None:
    empty = report()
    assert empty.rows() == (Row("kind", "pairs"),)
    assert (empty.tally(), empty.curve()) == (None, None)
    assert Curve((), is_search=False).above_zero() == ()


def test_rows_are_named_by_the_keys_that_lead_to_them() -> None:
    found = report(pack={"name": "one"}, trials=[{"fnir": 0.5}, {"fnir": None}], scores=tally([], []).pairs_as_json())
    assert found.rows() == (
        Row("kind", "pairs"),
        Row("pack.name", "one"),
        Row("trials.1.fnir", 0.5),
        Row("trials.2.fnir", None),
    )


def test_the_curve_of_comparisons_comes_from_their_counts() -> None:
    curve = report(scores=tally([0.5, 0.75], [0.125, 0.625]).pairs_as_json()).curve()
    assert curve is not None
    assert not curve.is_search
    # 0.125, 0.5, 0.625 and 0.75 are each the last edge that one pair reaches, and nothing reaches 1.
    assert curve.points == ((1.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5), (0.0, 1.0))
    assert curve.above_zero() == ((0.5, 0.5),)


def test_the_curve_of_searches_comes_from_their_trade_off() -> None:
    curve = report(det=[{"threshold": 0.4, "fpir": 0.25, "fnir": 0.0}]).curve()
    assert curve is not None
    assert (curve.points, curve.is_search, curve.above_zero()) == (((0.25, 0.0),), True, ())


def test_two_reports_are_compared_by_what_was_measured() -> None:
    rows = reports.compare(report(date="now", accuracy=0.9, std=0.1), report(date="then", accuracy=0.95, pairs=3))
    assert rows == (ComparedRow("accuracy", 0.9, 0.95), ComparedRow("std", 0.1, None), ComparedRow("pairs", None, 3))
    assert [row.difference for row in rows] == [pytest.approx(0.05), None, None]
    assert ComparedRow("measured", True, False).difference is None


def test_reports_of_different_things_are_not_compared() -> None:
    with pytest.raises(NotComparable, match="one report measured 'pairs', the other 'quality'"):
        reports.compare(report(), Report.parse('{"kind": "quality"}'))


@pytest.mark.parametrize(
    ("dataset", "same"),
    [
        ({"images": {"path": "elsewhere", "sha256": "a"}}, True),
        ({"images": {"path": "here", "sha256": "b"}}, False),
        ({"images": {"path": "here", "sha256": "a"}, "pairs": {"sha256": "c"}}, False),
    ],
)
def test_data_is_the_same_where_its_digests_are(dataset: dict[str, Any], same: bool) -> None:
    assert (
        reports.same_data(report(dataset={"images": {"path": "here", "sha256": "a"}}), report(dataset=dataset)) is same
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"kind": 1}',
        '{"kind": "pairs", "scores": {}}',
        '{"kind": "pairs", "scores": {"mated": {"first": 0, "counts": [1e999]}}}',
        '{"kind": "pairs", "det": [1]}',
        '{"kind": "pairs", "a": ' + "[" * 5000 + "]" * 5000 + "}",
    ],
)
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(InvalidReport):
        Report.parse(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.sampled_from(["kind", "scores", "det", "mated", "non_mated"]), json_values) | json_values)
def test_any_json_is_a_report_or_refused(value: object) -> None:
    try:
        found = Report.parse(json.dumps(value))
    except InvalidReport:
        return
    assert reports.compare(found, found) is not None
