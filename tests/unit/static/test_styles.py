"""What the style sheets say of each other."""

from __future__ import annotations

import re
from pathlib import Path

SHEETS = [sheet.read_text() for sheet in (Path(__file__).parents[3] / "static/css").glob("*.css")]


def test_every_colour_of_the_admin_that_is_used_is_defined() -> None:
    used = {name for sheet in SHEETS for name in re.findall(r"var\((--fw-[\w-]+)", sheet)}
    defined = {name for sheet in SHEETS for name in re.findall(r"^\s*(--fw-[\w-]+):", sheet, re.MULTILINE)}
    assert used - defined == set()
    assert used
