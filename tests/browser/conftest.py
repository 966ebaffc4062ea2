"""A real server, a real Chromium with a fake camera, and what a person does with them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserType, expect, sync_playwright

from tests import installations
from tests.browser.site import TIMEOUT_MS, Site
from tests.processes import CommandLine

SCREENSHOTS = Path(__file__).parent / "screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def chromium() -> Iterator[BrowserType]:
    """Chromium, to be started with a camera or without; gone before tests of other modules need an event loop."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    SCREENSHOTS.mkdir(exist_ok=True)
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        yield playwright.chromium


@contextmanager
def running_site(chromium: BrowserType, command_line: CommandLine) -> Iterator[Site]:
    """An installation that is up, and browsers for it."""
    site = Site(command_line.up(), command_line, chromium, str(CHROMIUM), installations.PASSWORD)
    try:
        yield site
    finally:
        site.close_browsers()
        site.end_shell()


@pytest.fixture
def site(chromium: BrowserType, installed: CommandLine) -> Iterator[Site]:
    """An installation of the test's own, without people; fails for what its pages complained of."""
    with running_site(chromium, installed) as running:
        yield running
        running.complaints.assert_none()


@pytest.fixture(scope="module")
def shared_installation(chromium: BrowserType, prepared_state: Path) -> Iterator[Site]:
    """One installation for all tests of a module, for those that leave it as they found it."""
    with installations.temporary_state_dir() as directory:
        installations.copy(prepared_state, directory)
        with installations.command_line_in(directory) as command_line, running_site(chromium, command_line) as running:
            yield running


@pytest.fixture
def shared_site(shared_installation: Site) -> Iterator[Site]:
    """The module's installation; the pages that a test opened end with it."""
    yield shared_installation
    shared_installation.close_pages()
    shared_installation.complaints.assert_none()
