"""What `faceweb evaluate` makes of a measurement: words or JSON, and files in JSON, CSV and HTML."""

from __future__ import annotations

import argparse
import base64
import csv
import dataclasses
import datetime as dt
import hashlib
import importlib.util
import json
import os
import platform
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.template.loader import render_to_string

from recognition.evaluation import reports
from recognition.evaluation.reports import ComparedRow, Report
from recognition.importing import entries
from recognition.management.base import FAILED
from recognition.vision import cores
from recognition.vision.images import STILL_LIMITS

STDOUT = Path("-")

INPUTS = ("images", "pairs", "train_pairs")
"""Options that name what was measured on."""


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """Where results go.

    Args:
        json: a file, or `STDOUT` in place of words.
        csv: a file.
        html: a file.
    """

    json: Path | None
    csv: Path | None
    html: Path | None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Wish:
        """What a command line asks for, refused before minutes of work where it cannot be fulfilled.

        Raises:
            CommandError: for a folder that is not there, or without matplotlib.
        """
        wish = cls(options["json"], options["csv"], options["html"])
        for path in (wish.json, wish.csv, wish.html):
            if path is not None and path != STDOUT and (path.is_dir() or not path.absolute().parent.is_dir()):
                raise CommandError(f"{path} cannot be written: name a file in a folder that is there.")
        if wish.html is not None and importlib.util.find_spec("matplotlib") is None:
            raise CommandError(
                "--html draws with matplotlib, which is not installed here: run `make setup`, or install the extra "
                "`report`. --json and --csv work without."
            )
        return wish

    @property
    def prints_json(self) -> bool:
        """Whether standard output gets JSON."""
        return self.json == STDOUT

    def write(self, report: Report) -> None:
        """Writes the files that were asked for.

        Raises:
            CommandError: when one cannot be written.
        """
        self._write(
            report.values,
            [("measure", "value"), *((row.name, row.value) for row in report.rows())],
            lambda: _page([Named(f"faceweb evaluate {report.kind}", report)]),
        )

    def write_compared(self, first: Named, second: Named, rows: Sequence[ComparedRow]) -> None:
        """Writes two reports side by side.

        Raises:
            CommandError: when a file cannot be written.
        """
        header = ("measure", first.name, second.name, "difference")
        self._write(
            compared_json(rows),
            [header, *((row.name, row.first, row.second, row.difference) for row in rows)],
            lambda: _page([first, second], rows),
        )

    def _write(self, values: Mapping[str, Any], lines: Sequence[Sequence[object]], page: Callable[[], str]) -> None:
        try:
            if self.json is not None and not self.prints_json:
                self.json.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
            if self.csv is not None:
                with self.csv.open("w", encoding="utf-8", newline="") as file:
                    csv.writer(file).writerows(lines)
            if self.html is not None:
                self.html.write_text(page(), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be written: {error.strerror}.", returncode=FAILED) from error


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """A report and what to call it, such as its file."""

    name: str
    report: Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares where results go."""
    parser.add_argument(
        "--json",
        type=Path,
        nargs="?",
        const=STDOUT,
        metavar="FILE",
        help="write one JSON object to FILE; without FILE, print it instead of words",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every number as a line of a CSV file")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one page with every number and the plots")


def made(kind: str, values: Mapping[str, Any], options: Mapping[str, Any], now: dt.datetime) -> Report:
    """A report of what was measured, with how it was.

    Args:
        kind: what was asked for.
        values: what was measured.
        options: the command line's.
        now: when it was.
    """
    about = {
        "command": "faceweb " + shlex.join(sys.argv[1:]),
        "date": now.isoformat(timespec="seconds"),
        "machine": {
            "system": platform.platform(),
            "processor": cores.processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "dataset": {name: _described(options[name]) for name in INPUTS if options.get(name) is not None},
    }
    return Report(kind, {"kind": kind, **values, **about})


def read(path: Path) -> Named:
    """A report that `--json FILE` wrote, called by its path.

    Raises:
        CommandError: when it cannot be read.
    """
    try:
        return Named(str(path), Report.parse(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=FAILED) from error
    except ValueError as error:
        raise CommandError(f"{path}: {error}.", returncode=FAILED) from error


def compared_json(rows: Sequence[ComparedRow]) -> dict[str, Any]:
    """Two reports side by side for --json."""
    return {row.name: {"first": row.first, "second": row.second, "difference": row.difference} for row in rows}


def compared_words(first: Named, second: Named, rows: Sequence[ComparedRow]) -> str:
    """Two reports side by side for people."""
    width = max((len(row.name) for row in rows), default=0) + 2
    lines = [f"{'':<{width}}{_short(first.name):<26}{_short(second.name):<26}Difference"]
    lines += [f"{row.name:<{width}}{_short(row.first):<26}{_short(row.second):<26}{_signed(row)}" for row in rows]
    if not reports.same_data(first.report, second.report):
        lines += ["", NOT_THE_SAME_DATA]
    return "\n".join(lines)


NOT_THE_SAME_DATA = "They were not measured on the same files: a difference may be that of the files."


def _text(value: reports.Scalar) -> str:
    return "" if value is None else str(value)


def _short(value: reports.Scalar) -> str:
    text = _text(value)
    return text if len(text) <= 24 else f"{text[:23]}…"


def _signed(row: ComparedRow) -> str:
    return "" if row.difference is None else f"{row.difference:+.5g}"


def _described(path: Path) -> dict[str, Any]:
    """A file, or the images below a folder, by what is in it: another copy of it is known as the same."""
    if path.is_file():
        return {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    files = sorted(each for each in path.rglob("*") if each.is_file() and entries.is_image(each.name))
    digest = hashlib.sha256()
    for each in files:
        digest.update(os.fsencode(each.relative_to(path)) + b"\0")
        # What is too large is not looked at either; by its size it is told from a smaller one.
        size = each.stat().st_size
        content = each.read_bytes() if size <= STILL_LIMITS.max_bytes else str(size).encode()
        digest.update(hashlib.sha256(content).digest())
    return {"path": str(path), "files": len(files), "sha256": digest.hexdigest()}


def _page(named: Sequence[Named], compared: Sequence[ComparedRow] = ()) -> str:
    # Imported here, because it is the extra `report` that brings matplotlib.
    from recognition.management import plots

    curves = [(each.name, curve) for each in named if (curve := each.report.curve()) is not None and curve.above_zero()]
    drawn = [("Detection error trade-off", plots.trade_off(curves))] if curves else []
    for each in named:
        tally = each.report.tally()
        if tally is not None:
            drawn.append((f"Similarities: {each.name}", plots.similarities(tally, each.report.values.get("threshold"))))
    first, *others = (each.report for each in named)
    return render_to_string(
        "recognition/evaluation_report.html",
        {
            "kind": first.kind,
            "names": [each.name for each in named],
            "plots": [(title, base64.b64encode(svg).decode()) for title, svg in drawn],
            "rows": () if others else [(row.name, _text(row.value)) for row in first.rows()],
            "compared": [(row.name, _text(row.first), _text(row.second), _signed(row)) for row in compared],
            "about": [(each.name, _about(each.report)) for each in named] if others else (),
            "warning": "" if all(reports.same_data(first, other) for other in others) else NOT_THE_SAME_DATA,
        },
    )


def _about(report: Report) -> list[tuple[str, str]]:
    return [(row.name, _text(row.value)) for row in report.rows() if row.name.split(".")[0] in reports.ABOUT]
