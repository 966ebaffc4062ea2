"""Reports of `faceweb evaluate`: one JSON object each, told as rows, as curves, and beside another one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from recognition.evaluation import targets
from recognition.evaluation.gallery_scores import Tally

Scalar: TypeAlias = str | int | float | bool | None

SCORES = "scores"
"""Key of the comparisons that were counted, by their similarity; drawn and never told as rows."""

ABOUT = ("command", "date", "machine", "dataset")
"""Keys of how a report was made: shown, and never compared."""


class InvalidReport(ValueError):
    """Not a report of `faceweb evaluate`; the text says what was expected."""


class NotComparable(ValueError):
    """Two reports that measured different things."""


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One number or word of a report.

    Args:
        name: the keys that lead to it, joined by dots.
        value: as it is in the JSON.
    """

    name: str
    value: Scalar


@dataclasses.dataclass(frozen=True, slots=True)
class ComparedRow:
    """The same number or word of two reports.

    Args:
        name: as in `Row`.
        first: None where that report has none.
        second: None where that report has none.
    """

    name: str
    first: Scalar
    second: Scalar

    @property
    def difference(self) -> float | None:
        """By how much the second number is larger; None where they are no numbers."""
        if _is_number(self.first) and _is_number(self.second):
            return float(self.second) - float(self.first)  # type: ignore[arg-type]
        return None


@dataclasses.dataclass(frozen=True, slots=True)
class Curve:
    """A detection error trade-off.

    Args:
        points: both error rates, 0..1, the false match or false positive rate first.
        is_search: whether the rates are FPIR and FNIR of searches; else FMR and FNMR of comparisons.
    """

    points: tuple[tuple[float, float], ...]
    is_search: bool

    def above_zero(self) -> tuple[tuple[float, float], ...]:
        """The points that have a place on logarithmic axes; none where no threshold makes both errors."""
        return tuple((wrong, missed) for wrong, missed in self.points if wrong > 0.0 and missed > 0.0)


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What was measured, and how.

    Args:
        kind: what `faceweb evaluate` was asked to measure.
        values: the whole report, as its JSON has it.
    """

    kind: str
    values: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str) -> Report:
        """Reads a report from its JSON.

        Raises:
            InvalidReport: when it is none.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidReport(f"expected the JSON of a report: {error}") from error
        if not isinstance(values, dict) or not isinstance(values.get("kind"), str):
            raise InvalidReport("expected a report of `faceweb evaluate` with its kind, as --json FILE writes it")
        report = cls(values["kind"], values)
        try:
            report.rows()
            report.curve()
        except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            raise InvalidReport("the similarities or the trade-off that it holds cannot be read") from error
        return report

    def rows(self) -> tuple[Row, ...]:
        """Everything that was measured and how, but for the counted similarities."""
        return tuple(_rows({key: value for key, value in self.values.items() if key != SCORES}))

    def tally(self) -> Tally | None:
        """The comparisons by their similarity; None where the report counts none."""
        kept = self.values.get(SCORES)
        return Tally.of_pairs_from_json(kept) if kept is not None else None

    def curve(self) -> Curve | None:
        """The trade-off; None where the report has none."""
        tally = self.tally()
        if tally is not None:
            return Curve(tuple((point.fmr, point.fnmr) for point in targets.det(tally)), is_search=False)
        if "det" in self.values:
            points = ((float(point["fpir"]), float(point["fnir"])) for point in self.values["det"])
            return Curve(tuple(points), is_search=True)
        return None


def compare(first: Report, second: Report) -> tuple[ComparedRow, ...]:
    """Two reports side by side, in the order of the first; how they were made is left out.

    Raises:
        NotComparable: when they measured different things.
    """
    if first.kind != second.kind:
        raise NotComparable(f"one report measured {first.kind!r}, the other {second.kind!r}")
    measured, other = (
        {row.name: row.value for row in report.rows() if row.name.split(".")[0] not in ("kind", *ABOUT)}
        for report in (first, second)
    )
    return tuple(ComparedRow(name, measured.get(name), other.get(name)) for name in dict.fromkeys([*measured, *other]))


def same_data(first: Report, second: Report) -> bool:
    """Whether both were measured on the same files; names of folders do not matter."""
    return _digests(first) == _digests(second)


def _digests(report: Report) -> set[tuple[str, Scalar]]:
    return {(row.name, row.value) for row in report.rows() if row.name.startswith("dataset.") and "sha256" in row.name}


def _rows(value: object, name: str = "") -> Iterator[Row]:
    if isinstance(value, Mapping):
        parts = [(str(key), part) for key, part in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(str(number), part) for number, part in enumerate(value, start=1)]
    else:
        yield Row(name, value if isinstance(value, str | int | float) else None)
        return
    for key, part in parts:
        yield from _rows(part, f"{name}.{key}" if name else key)


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
