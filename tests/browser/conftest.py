"""A real server, a real Chromium with a fake camera, and what a person does with them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserType, expect, sync_playwright

from faceweb import env, state
from tests.browser.site import TIMEOUT_MS, Site
from tests.conftest import temporary_state_dir
from tests.processes import CommandLine

SCREENSHOTS = Path(__file__).parent / "screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PASSWORD = "correct-horse-battery"


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
def running_site(chromium: BrowserType, directory: Path) -> Iterator[Site]:
    """A fresh installation that is up, and browsers for it; fails for what its pages complained of."""
    with ExitStack() as stack:
        # Models are prepared and measured once for all runs, not once for each installation (10 s).
        variables = {env.CACHE_DIR.name: str(state.cache_directory()), "FACEWEB_ADMIN_PASSWORD": PASSWORD}
        command_line = stack.enter_context(CommandLine(directory, variables=variables))
        site = Site(command_line.up(), command_line, chromium, str(CHROMIUM), PASSWORD)
        stack.callback(site.close_browsers)
        yield site


@pytest.fixture
def site(chromium: BrowserType, state_dir: Path) -> Iterator[Site]:
    """An installation of the test's own."""
    with running_site(chromium, state_dir) as running:
        yield running
        running.complaints.assert_none()


@pytest.fixture(scope="module")
def shared_installation(chromium: BrowserType) -> Iterator[Site]:
    """One installation for all tests of a module, for those that leave it as they found it."""
    with temporary_state_dir() as directory, running_site(chromium, directory) as running:
        yield running


@pytest.fixture
def shared_site(shared_installation: Site) -> Iterator[Site]:
    """The module's installation; the browsers that a test opened end with it."""
    yield shared_installation
    shared_installation.close_contexts()
    shared_installation.complaints.assert_none()
