"""Every state of the kiosk page, on a tablet either way up and on a phone: no barrier, nothing cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import kiosk_page, looks, people, pictures
from tests.browser.kiosk_page import PlayedServer, conclusion, state
from tests.browser.site import Site

pytestmark = pytest.mark.browser

SIZES = ({"width": 1280, "height": 800}, {"width": 800, "height": 1280}, {"width": 360, "height": 740})

RESULTS = {
    "welcome": conclusion("accepted", "welcome", "Maximiliane Wolfeschlegelsteinhausen"),
    "not-recognised": conclusion("refused", "not_recognised"),
    "not-confirmed": conclusion("refused", "not_confirmed"),
    "not-allowed": conclusion("refused", "not_allowed"),
    "not-seen-well": conclusion("undecided", "not_seen_well"),
    "several-people": conclusion("undecided", "several_people"),
    "time-up": conclusion("undecided", "time_up"),
    "locked": conclusion("locked_out", "locked_out", locked_for_s=170.0),
    "locked-by-staff": conclusion("locked_out", "locked_out"),
    "error": conclusion("error", "error"),
}
STATES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "ready": ([state("ready")], "ready"),
    "ready-both": ([state("ready")], "ready"),
    "step-away": ([state("ready", "step_away")], "ready"),
    "claim": ([state("claim")], "claim"),
    "come-closer": ([state("looking", "come_closer", 0.0, 8)], "looking"),
    "keep-looking": ([state("looking", "keep_looking", 0.67, 4)], "looking"),
    "gallery-empty": ([{"type": "notice", "code": "gallery_empty"}, state("ready")], "ready"),
    "out-of-use": ([{"type": "notice", "code": "out_of_use"}, state("ready")], "closed"),
    "no-thresholds": ([{"type": "notice", "code": "pack_without_thresholds"}, state("ready")], "closed"),
    **{name: ([result, state("result")], "result") for name, result in RESULTS.items()},
}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return people.astronaut_video(tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="module")
def installation(shared_installation: Site) -> Site:
    kiosk_page.make_checkpoint(shared_installation, "north", "identify")
    return shared_installation


def open_kiosk(site: Site, camera: Path | None) -> tuple[Page, PlayedServer]:
    context = site.open_browser(camera)
    page = context.new_page()
    return page, PlayedServer(context)


def inspect(page: Page, name: str) -> None:
    """Pictures of the page in both themes and every size, and what a program can judge of them."""
    problems = []
    for theme in looks.in_themes(page):
        for size in SIZES:
            where = f"{name}, {size['width']} px, {theme}"
            page.set_viewport_size(size)  # type: ignore[arg-type]  # Playwright's own TypedDict
            pictures.take(page, f"kiosk-{name}-{size['width']}-{theme}")
            problems += [f"{where}: {text}" for text in looks.overflow(page)]
            if page.evaluate("() => document.documentElement.scrollHeight > document.documentElement.clientHeight"):
                problems.append(f"{where}: the page must be scrolled")
        rules = looks.ALL_RULES if theme == "light" else looks.RULES_OF_COLOURS
        problems += [f"{name}, {theme}: {text}" for text in looks.barriers(page, rules)]
    assert not problems, "\n".join(problems)


def test_every_state(installation: Site, shared_site: Site, video: Path) -> None:
    page, server = open_kiosk(shared_site, video)
    server.plays(state("ready"))
    kiosk_page.pair(shared_site, page, "north")
    for name, (messages, shown) in STATES.items():
        server.plays(*messages, mode="both" if name == "ready-both" else "identify")
        page.reload()
        kiosk_page.expect_state(page, shown)
        if page.locator("#mirror").is_visible():
            page.wait_for_function("() => document.querySelector('#video').videoWidth > 0")
        inspect(page, name)


def test_the_pin(installation: Site, shared_site: Site, video: Path) -> None:
    page, server = open_kiosk(shared_site, video)
    server.plays(state("claim"), mode="verify", needs_pin=True)
    kiosk_page.pair(shared_site, page, "north")
    kiosk_page.expect_state(page, "claim")
    page.keyboard.type("4711")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Enter your PIN")).to_be_visible()
    for digit in "1234":
        page.get_by_role("button", name=digit, exact=True).click()
    inspect(page, "pin")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_function("() => document.querySelector('#entry-input').value === ''")
    assert server.heard[-1] == {"type": "claim", "external_id": "4711", "pin": "1234"}


def test_connecting_and_removed(installation: Site, shared_site: Site, video: Path) -> None:
    shared_site.complaints.expect("4405")
    page, server = open_kiosk(shared_site, video)
    kiosk_page.pair(shared_site, page, "north")
    kiosk_page.expect_state(page, "connecting")
    inspect(page, "connecting")
    server.plays(state("ready"))
    page.reload()
    kiosk_page.expect_state(page, "ready")
    server.closes(4405)
    kiosk_page.expect_state(page, "refused")
    inspect(page, "removed")
    page.get_by_role("button", name="Pair this device").click()
    expect(page.get_by_role("heading", name="Pair this device")).to_be_visible()
    looks.inspect(page, "pair")


def test_without_a_camera(installation: Site, shared_site: Site) -> None:
    page, server = open_kiosk(shared_site, None)
    server.plays(state("ready"))
    kiosk_page.pair(shared_site, page, "north")
    kiosk_page.expect_state(page, "camera")
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
    inspect(page, "camera")


def test_closed_to_strangers(installation: Site, shared_site: Site) -> None:
    shared_site.complaints.expect("403")
    page, _ = open_kiosk(shared_site, None)
    page.goto(shared_site.url("/checkpoint/north/"))
    expect(page.get_by_role("heading", name="This checkpoint is closed to this browser")).to_be_visible()
    looks.inspect(page, "kiosk-closed")
