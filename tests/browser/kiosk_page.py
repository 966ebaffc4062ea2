"""What operators and people do at a checkpoint's page, and wait for there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from tests.browser.site import Site

IMPORTS = (
    "from recognition.models import *; from django.contrib.auth.models import User; from django.utils import timezone"
)


def make_checkpoint(site: Site, slug: str, mode: str, **values: Any) -> None:
    """A checkpoint that admits everybody."""
    fields = {"slug": slug, "name": slug.title(), "place": "Ground floor", "mode": mode, "admits": "everyone", **values}
    site.shell(f"{IMPORTS}; Checkpoint.objects.create(**{fields!r})")


def pairing_code(site: Site, slug: str) -> str:
    """A code as an operator is shown it in the admin."""
    code: str = site.read(
        f"kiosks.make_code(checkpoint=Checkpoint.objects.get(slug={slug!r}), "
        "actor=User.objects.get(username='admin'), now=timezone.now())",
        imports=f"{IMPORTS}; from recognition.services import kiosks",
    )
    return code


def pair(site: Site, page: Page, slug: str, label: str = "Tablet") -> None:
    """Pairs the page's browser with a checkpoint, by typing the code in."""
    page.goto(site.url("/kiosk/"))
    page.get_by_label("Pairing code").fill(pairing_code(site, slug).lower())
    page.get_by_label("Name of this device").fill(label)
    page.get_by_role("button", name="Pair", exact=True).click()
    expect(page).to_have_url(site.url(f"/checkpoint/{slug}/"))


def kiosk(site: Site, slug: str, camera: Path | None = None, **options: Any) -> Page:
    """A paired kiosk with its page open."""
    context = site.open_browser(camera, permissions=["camera"] if camera else [], **options)
    page = context.new_page()
    pair(site, page, slug)
    return page


def expect_state(page: Page, state: str) -> None:
    """Waits until the page is in a state."""
    expect(page.locator("#kiosk")).to_have_attribute("data-state", state)


def expect_result(page: Page, headline: str, *, tone: str) -> None:
    """Waits until a result is shown in words and in its tone."""
    expect(page.locator("#kiosk[data-state=result] #headline")).to_have_text(headline)
    expect(page.locator("#kiosk")).to_have_attribute("data-tone", tone)


def claim(page: Page, external_id: str, pin: str = "") -> None:
    """Types an id, and a PIN where one is asked for, as a scanner would: wherever the focus is."""
    expect_state(page, "claim")
    page.keyboard.type(external_id)
    page.keyboard.press("Enter")
    if pin:
        expect(page.get_by_role("heading", name="Enter your PIN")).to_be_visible()
        page.keyboard.type(pin)
        page.keyboard.press("Enter")


class PlayedServer:
    """Plays the server's side of the socket, for states that are hard to bring about."""

    def __init__(self, context: BrowserContext) -> None:
        """Answers every socket of a context from now on."""
        self.heard: list[Any] = []
        self._socket: WebSocketRoute | None = None
        self._on_hello: Callable[[], None] = lambda: None
        context.route_web_socket("**/ws/checkpoint/**", self._connected)

    def plays(self, *messages: dict[str, Any], mode: str = "identify", needs_pin: bool = False) -> None:
        """What it says after each hello."""

        def welcome() -> None:
            self.says(
                type="welcome",
                protocol=1,
                window=1,
                max_frame_bytes=524_288,
                name="North gate",
                place="Ground floor",
                mode=mode,
                needs_pin=needs_pin,
            )
            for message in messages:
                self.says(**message)

        self._on_hello = welcome

    def says(self, **message: Any) -> None:
        """Sends one message."""
        assert self._socket is not None
        self._socket.send(json.dumps(message))

    def closes(self, code: int) -> None:
        """Ends the session, and every one that the page begins after it."""
        assert self._socket is not None
        self._socket.close(code=code)

    def _connected(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        socket.on_message(self._received)

    def _received(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            sequence = int.from_bytes(message[:4], "little")
            self.says(type="result", sequence=sequence, status="analysed", timings={"server": 1.0}, window=1, dropped=0)
            return
        self.heard.append(json.loads(message))
        if self.heard[-1]["type"] == "hello":
            self._on_hello()


def state(phase: str, instruction: str = "", progress: float = 0.0, seconds_left: int | None = None) -> dict[str, Any]:
    """A `state` message."""
    return {
        "type": "state",
        "phase": phase,
        "instruction": instruction,
        "progress": progress,
        "seconds_left": seconds_left,
        "reads_codes": phase == "claim",
    }


def conclusion(
    outcome: str, sentence: str, person: str | None = None, locked_for_s: float | None = None
) -> dict[str, Any]:
    """A `conclusion` message."""
    return {
        "type": "conclusion",
        "outcome": outcome,
        "sentence": sentence,
        "person": person,
        "locked_for_s": locked_for_s,
        "shown_s": 4.0,
    }
