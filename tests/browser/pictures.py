"""Pictures of pages for people to judge: taken with `--pictures`, since no assertion needs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

FOLDER = Path(__file__).parent / "screenshots"

_wanted: list[bool] = []


def want() -> None:
    """Has pictures taken from now on."""
    FOLDER.mkdir(exist_ok=True)
    _wanted[:] = [True]


def take(page: Page, name: str, **options: Any) -> None:
    """Takes a picture where somebody wants some; `options` are Playwright's."""
    if _wanted:
        page.screenshot(path=FOLDER / f"{name}.png", **options)
