"""A real server, a real Chromium with a fake camera, and what a person does with them."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests import installations
from tests.browser import pictures
from tests.browser.baseline import Baseline
from tests.browser.site import TIMEOUT_MS, Browsers, Site
from tests.processes import CommandLine, Server, Shell

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@dataclasses.dataclass(frozen=True, slots=True)
class Installation:
    """One that is up.

    Args:
        command_line: of it.
        server: answers its pages.
        shell: runs programs on its database.
        baseline: puts its database back to what it was.
    """

    command_line: CommandLine
    server: Server
    shell: Shell
    baseline: Baseline


@pytest.fixture(scope="module")
def browsers(pytestconfig: pytest.Config) -> Iterator[Browsers]:
    """Chromiums with a camera or without; gone before tests of other modules need an event loop."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    if pytestconfig.getoption("--pictures"):
        pictures.want()
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        running = Browsers(playwright.chromium, CHROMIUM)
        yield running
        running.close()


@pytest.fixture(scope="session")
def common_installation(prepared_state: Path) -> Iterator[Installation]:
    """One for all browser tests: a start costs seconds of both cores."""
    with installations.temporary_state_dir() as directory:
        installations.copy(prepared_state, directory)
        with installations.command_line_in(directory) as command_line:
            yield Installation(command_line, command_line.up(), Shell(command_line), Baseline(directory))


@contextmanager
def as_it_was(browsers: Browsers, common: Installation) -> Iterator[Site]:
    """The common installation, put back to what it was at the end."""
    site = Site(common.server, common.command_line, browsers, installations.PASSWORD, common.shell)
    try:
        yield site
    finally:
        site.close_contexts()
    common.baseline.restore()


@pytest.fixture
def site(browsers: Browsers, common_installation: Installation) -> Iterator[Site]:
    """An installation without people; fails for what its pages complained of."""
    with as_it_was(browsers, common_installation) as running:
        yield running
        running.complaints.assert_none()


@contextmanager
def another_installation(browsers: Browsers, prepared_state: Path) -> Iterator[Site]:
    """One for whoever starts it again, or changes more than its database."""
    with installations.temporary_state_dir() as directory:
        installations.copy(prepared_state, directory)
        with installations.command_line_in(directory) as command_line:
            shell = Shell(command_line)
            site = Site(command_line.up(), command_line, browsers, installations.PASSWORD, shell)
            try:
                yield site
            finally:
                site.close_contexts()
                shell.end()


@pytest.fixture
def own_site(browsers: Browsers, prepared_state: Path) -> Iterator[Site]:
    """An installation of the test's own; fails for what its pages complained of."""
    with another_installation(browsers, prepared_state) as running:
        yield running
        running.complaints.assert_none()


@pytest.fixture(scope="module")
def shared_installation(browsers: Browsers, common_installation: Installation) -> Iterator[Site]:
    """An installation for all tests of a module, for those that leave it as they found it; no other may use `site`."""
    with as_it_was(browsers, common_installation) as running:
        yield running


@pytest.fixture
def shared_site(shared_installation: Site) -> Iterator[Site]:
    """The module's installation; the pages that a test opened end with it."""
    yield shared_installation
    shared_installation.close_pages()
    shared_installation.complaints.assert_none()
