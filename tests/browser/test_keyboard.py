"""Everything a person does every day, without a mouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import live_page, people
from tests.browser.people import ASTRONAUT
from tests.browser.site import Site

pytestmark = pytest.mark.browser

MAX_TABS = 80


def tab_to(page: Page, role: str, name: str) -> None:
    """Presses Tab until the control of that role and name has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type]  # Playwright's own Literal
    for _ in range(MAX_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"no way to the {role} {name!r} by Tab")


def tab_to_text(page: Page, text: str) -> None:
    """Presses Tab until what says that text has the focus; browsers do not agree on the role of a summary."""
    for _ in range(MAX_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("text => document.activeElement.textContent.trim() === text", text):
            return
    raise AssertionError(f"no way to {text!r} by Tab")


def choose_file(page: Page, path: Path) -> None:
    """Chooses a file in the input that has the focus; its dialogue is the browser's own and not the page's."""
    page.locator("input[type=file]:focus").set_input_files(path)


def press(page: Page, role: str, name: str) -> None:
    """Presses a link or button by Enter."""
    tab_to(page, role, name)
    page.keyboard.press("Enter")


def test_change_the_policy_where_one_person_runs_the_site_and_return(own_site: Site) -> None:
    own_site.command_line.variables["FACEWEB_POLICY_APPROVAL"] = "same_person"
    own_site.restart("--port", own_site.server.address.rpartition(":")[2])
    page = own_site.page_of()
    page.goto(own_site.url("/admin/recognition/thresholdpolicy/add/"))
    expect(page.get_by_label("Margin")).to_be_visible()
    tab_to(page, "spinbutton", "Margin*")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("0.2")
    tab_to(page, "textbox", "Reason for the change*")
    page.keyboard.type("twins work here")
    press(page, "button", "Save")
    expect(page.get_by_role("row", name="Margin").get_by_role("cell")).to_have_text(["0.05", "0.2"])
    press(page, "button", "Approve")
    expect(page.get_by_text("Version 2 decides from now on")).to_be_visible()

    page.goto(own_site.url("/admin/recognition/thresholdpolicy/"))
    press(page, "link", "1")
    expect(page.get_by_role("heading", name="Version 1: former")).to_be_visible()
    tab_to_text(page, "Return to this version")
    page.keyboard.press("Enter")
    press(page, "button", "Yes, return to it now")
    expect(page.get_by_role("heading", name="Version 3: active")).to_be_visible()


def test_log_in_enrol_watch_and_search(site: Site, tmp_path: Path) -> None:
    photo = people.astronaut_photo(tmp_path)
    page = site.open_browser(people.astronaut_video(tmp_path)).new_page()
    page.goto(site.url("/"))
    # The browser gives it the focus when it first draws the page, which may be after everything is loaded.
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type(site.password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(site.url("/"))

    tab_to(page, "link", "Add the first person")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name")).to_be_visible()
    tab_to(page, "textbox", "Name*")
    page.keyboard.type(ASTRONAUT)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Choose photos")).to_be_visible()
    tab_to(page, "button", "Choose photos")
    choose_file(page, photo)
    tab_to(page, "button", "Enrol photos")
    page.keyboard.press("Enter")
    expect(page.locator("#enrol-results .is-accepted")).to_have_count(1)

    page.goto(site.url("/live/"))
    page.keyboard.press("Space")
    live_page.expect_state(page, "running")
    live_page.expect_in_view(page, ASTRONAUT)
    page.keyboard.press("Space")
    live_page.expect_state(page, "stopped")

    tab_to(page, "link", "Search")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Choose a photo")).to_be_visible()
    tab_to(page, "button", "Choose a photo")
    choose_file(page, photo)
    expect(page.get_by_role("article").get_by_role("listitem").first).to_contain_text(ASTRONAUT)

    tab_to(page, "button", "Log out")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
