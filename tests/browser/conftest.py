"""A real server, a real Chromium with a fake camera, and what a person does with them."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from tests.processes import CommandLine, Server

SCREENSHOTS = Path(__file__).parent / "screenshots"
PASSWORD = "correct-horse-battery"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TIMEOUT_MS = 60_000

# Without the background flags Chromium asks its maker's servers; the fake ones give a camera without a prompt.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
)
CAMERA_ARGUMENTS = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """A running product and the Chromium that looks at it."""

    server: Server
    command_line: CommandLine
    open_browser: Callable[..., BrowserContext]

    def url(self, path: str) -> str:
        """An address of the site."""
        return f"{self.server.address}{path}"

    def log_in(self, context: BrowserContext, name: str = "admin", password: str = PASSWORD) -> Page:
        """Logs in as a person would and returns the page it leads to."""
        page = context.new_page()
        page.goto(self.url("/accounts/login/"))
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(re.compile(r"^(?!.*/accounts/login/).*$"))
        return page

    def enrol(self, page: Page, name: str, photos: list[Path]) -> None:
        """Enrols a person through the admin: add, then upload the photos."""
        page.goto(self.url("/admin/recognition/person/add/"))
        page.get_by_label("Name").fill(name)
        page.get_by_role("button", name="Save", exact=True).click()
        page.locator("#id_photos").set_input_files(photos)
        page.get_by_role("button", name="Enrol photos").click()
        expect(page.locator("#enrol-results li.is-accepted")).to_have_count(len(photos))


@pytest.fixture
def site(state_dir: Path, tmp_path: Path) -> Iterator[Site]:
    """A fresh installation that is up, and browsers for it."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    SCREENSHOTS.mkdir(exist_ok=True)
    with ExitStack() as stack:
        command_line = stack.enter_context(CommandLine(state_dir))
        command_line.variables["FACEWEB_ADMIN_PASSWORD"] = PASSWORD
        server = command_line.up()
        chromium = stack.enter_context(sync_playwright()).chromium
        number = 0

        def open_browser(camera: Path | None = None, **options: object) -> BrowserContext:
            nonlocal number
            number += 1
            arguments = list(ARGUMENTS)
            if camera is not None:
                arguments += [*CAMERA_ARGUMENTS, f"--use-file-for-fake-video-capture={camera}"]
            context = chromium.launch_persistent_context(
                tmp_path / f"profile-{number}",
                executable_path=CHROMIUM,
                headless=True,
                args=arguments,
                **options,  # type: ignore[arg-type]  # Playwright's own option names
            )
            stack.callback(context.close)
            context.set_default_timeout(TIMEOUT_MS)
            return context

        expect.set_options(timeout=TIMEOUT_MS)
        yield Site(server, command_line, open_browser)
