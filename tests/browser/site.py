"""A running product, the browsers that look at it, and what their pages complain of."""

from __future__ import annotations

import dataclasses
import json
import re
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, BrowserType, ConsoleMessage, Page, Request, expect

from tests.processes import CommandLine, Server, Shell

TIMEOUT_MS = 60_000

# Without the background flags Chromium asks its maker's servers.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
)
FAKE_CAMERA = ("--use-fake-device-for-media-stream",)
NO_PROMPT = ("--use-fake-ui-for-media-stream",)


@dataclasses.dataclass(slots=True)
class Browsers:
    """Running Chromiums, one for each command line: a start costs more than most tests."""

    chromium: BrowserType
    executable: str
    _running: dict[tuple[str, ...], Browser] = dataclasses.field(default_factory=dict)

    def started(self, line: Sequence[str]) -> Browser:
        """The one with that command line."""
        browser = self._running.get(tuple(line))
        if browser is None:
            browser = self.chromium.launch(executable_path=self.executable, headless=True, args=list(line))
            self._running[tuple(line)] = browser
        return browser

    @property
    def contexts(self) -> list[BrowserContext]:
        """Whatever somebody looks at."""
        return [context for browser in self._running.values() for context in browser.contexts]

    def close(self) -> None:
        """Ends them."""
        for browser in self._running.values():
            browser.close()
        self._running.clear()


class Complaints:
    """Everything that went wrong in a page and is not seen in it; nothing is requested from another host."""

    def __init__(self, address: str) -> None:
        """Nothing yet; `address` is the only host that may be asked."""
        self._host = re.sub(r"^https?://", "", address)
        self._found: list[str] = []
        self._expected: list[str] = []

    def expect(self, pattern: str) -> None:
        """What the test provokes is no complaint."""
        self._expected.append(pattern)

    def watch(self, context: BrowserContext) -> None:
        """Listens to every page of a context."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self._found.append(f"uncaught: {error.error}"))
        context.on("request", self._requested)
        context.on("requestfailed", self._failed)
        context.on("page", lambda page: page.on("websocket", lambda socket: self._asked(socket.url)))

    def assert_none(self) -> None:
        """Fails with what was found, and forgets it."""
        found = [text for text in self._found if not any(re.search(pattern, text) for pattern in self._expected)]
        self._found.clear()
        self._expected.clear()
        assert not found, "\n".join(found)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._found.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def _requested(self, request: Request) -> None:
        self._asked(request.url)

    def _asked(self, url: str) -> None:
        if not url.startswith(("data:", "blob:")) and url.split("/")[2] != self._host:
            self._found.append(f"another host was asked: {url}")

    def _failed(self, request: Request) -> None:
        # A page that is left aborts what it was loading.
        if request.failure != "net::ERR_ABORTED":
            self._found.append(f"request failed: {request.url} {request.failure}")


@dataclasses.dataclass(frozen=True, slots=True)
class Account:
    """A user with these permissions and no other."""

    name: str
    permissions: tuple[str, ...] = ()
    is_staff: bool = False


@dataclasses.dataclass(slots=True)
class Site:
    """A running product and the Chromium that looks at it."""

    server: Server
    command_line: CommandLine
    browsers: Browsers
    password: str
    _shell: Shell
    complaints: Complaints = dataclasses.field(init=False)
    _sessions: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begins to listen."""
        self.complaints = Complaints(self.server.address)

    def url(self, path: str) -> str:
        """An address of the site."""
        return f"{self.server.address}{path}"

    def open_browser(
        self, camera: Path | None = None, *, arguments: Sequence[str] = NO_PROMPT, **options: Any
    ) -> BrowserContext:
        """A browser that has never been here.

        Args:
            camera: video that its camera shows, in a loop; None has no camera at all.
            arguments: command line of a browser with a camera; without one it has no fake camera either.
            options: Playwright's, for the context.
        """
        line = list(ARGUMENTS)
        if camera is not None:
            line += [*FAKE_CAMERA, *arguments, f"--use-file-for-fake-video-capture={camera}"]
        context = self.browsers.started(line).new_context(**options)
        context.set_default_timeout(TIMEOUT_MS)
        self.complaints.watch(context)
        return context

    def log_in(self, context: BrowserContext, name: str = "admin", password: str = "") -> Page:
        """Logs in as a person would and returns the page it leads to."""
        page = context.new_page()
        page.goto(self.url("/accounts/login/"))
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(password or self.password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(re.compile(r"^(?!.*/accounts/login/).*$"))
        return page

    def page_of(self, name: str = "admin", camera: Path | None = None, **options: Any) -> Page:
        """A page of a user who has logged in before, in a browser of its own; not yet at any address."""
        if name not in self._sessions:
            self._sessions[name] = self._logged_in(name)
        context = self.open_browser(camera, **options)
        context.add_cookies([{"name": "sessionid", "value": self._sessions[name], "url": self.server.address}])
        return context.new_page()

    def _logged_in(self, name: str) -> str:
        """The key of a new session of that user."""
        program = (
            "from django.contrib.auth.models import User; from django.test import Client; client = Client(); "
            f"client.force_login(User.objects.get(username={name!r})); "
            "print('SESSION', client.cookies['sessionid'].value)"
        )
        return self.shell(program).rpartition("SESSION ")[2].strip()

    def forget_log_in(self, name: str) -> None:
        """After a log-out: the next page of this user logs in again."""
        self._sessions.pop(name, None)

    def enrol(self, page: Page, name: str, photos: list[Path]) -> None:
        """Enrols a person through the admin: add, then upload the photos."""
        page.goto(self.url("/admin/recognition/person/add/"))
        page.get_by_label("Name").fill(name)
        page.get_by_role("button", name="Save", exact=True).click()
        page.locator("#id_photos").set_input_files(photos)
        page.get_by_role("button", name="Enrol photos").click()
        expect(page.locator("#enrol-results li.is-accepted")).to_have_count(len(photos))

    def add_users(self, *accounts: Account) -> None:
        """Makes accounts; each has the administrator's password."""
        lines = [
            "from django.contrib.auth.hashers import make_password",
            "from django.contrib.auth.models import Permission, User",
            f"password = make_password({self.password!r})",  # once: a hash is slow by design
        ]
        for account in accounts:
            lines += [
                f"values = dict(password=password, is_staff={account.is_staff})",
                f"user = User.objects.create(username={account.name!r}, **values)",
                f"user.user_permissions.set(Permission.objects.filter(codename__in={account.permissions!r}))",
            ]
        self.shell("\n".join(lines))

    def shell(self, program: str) -> str:
        """Runs some Python in a process of its own, on the same database; one process for all programs."""
        return self._shell.run(program)

    def read(self, expression: str, *, imports: str) -> Any:
        """The value of an expression that JSON can hold, as the database has it."""
        output = self.shell(f"import json; {imports}; print('READ', json.dumps({expression}))")
        line = next(line for line in output.splitlines() if line.startswith("READ "))
        return json.loads(line.removeprefix("READ "))

    def restart_after_kill(self, *, meanwhile: Callable[[], object]) -> None:
        """Ends the server as a power cut would, and starts it again at the same address.

        Args:
            meanwhile: called while there is no server.
        """
        self._shell.end()
        self.server.process.send(signal.SIGKILL)
        self.server.process.wait()
        meanwhile()
        self.server = self.command_line.up("--port", self.server.address.rpartition(":")[2])

    def restart(self, *arguments: str) -> None:
        """Ends the server, and starts it again with other arguments."""
        self._shell.end()
        self.server.process.close()
        self.server = self.command_line.up(*arguments)

    def close_pages(self) -> None:
        """Closes every page; browsers and their contexts stay, so that a context used again has its files cached."""
        for context in self.browsers.contexts:
            for page in context.pages:
                page.close()

    def close_contexts(self) -> None:
        """Ends whatever was looked at; the browsers go on without a page."""
        for context in self.browsers.contexts:
            context.close()
