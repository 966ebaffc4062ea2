"""The whole way on faces that the dependencies ship, so that it is walked on every machine with a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import live_page, looks, people
from tests.browser.people import ASTRONAUT
from tests.browser.site import Site

pytestmark = pytest.mark.browser


def test_a_newcomer_enrols_somebody_and_sees_them_named_live(site: Site, tmp_path: Path) -> None:
    page = site.log_in(site.open_browser(people.astronaut_and_stranger_video(tmp_path)))
    page.get_by_role("link", name="faceweb").click()
    expect(page.get_by_role("heading", name="Nobody is enrolled yet")).to_be_visible()
    looks.inspect(page, "overview-of-a-new-installation")

    page.get_by_role("link", name="Add the first person").click()
    page.get_by_label("Name").fill(ASTRONAUT)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Choose photos").set_input_files(
        [people.astronaut_photo(tmp_path), people.photo_of_nobody(tmp_path), people.too_large(tmp_path)]
    )
    results = page.locator("#enrol-results")
    expect(results.locator("li")).to_contain_text(["large.jpg"])  # before anything is sent
    page.get_by_role("button", name="Enrol photos").click()
    expect(page.locator("#enrol-progress")).to_have_text("1 of 3 photos were enrolled.")
    expect(results.locator(".is-refused", has_text="large.jpg")).to_contain_text("over 20 MB and is not sent")
    expect(results.locator(".is-refused", has_text="bricks.jpg")).to_contain_text("No face was found.")
    expect(results.locator(".is-accepted", has_text="astronaut.jpg").get_by_role("presentation")).to_be_visible()
    looks.inspect(page, "enrol-results")

    live_page.start(site, page)
    expect(live_page.decision(page, ASTRONAUT)).to_have_attribute("data-state", "known")
    expect(live_page.decision(page, "Unknown")).to_have_attribute("data-state", "unknown")
    page.get_by_role("button", name="Stop", exact=True).click()
    live_page.expect_state(page, "stopped")

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto(site.url("/live/"))
    expect(page).to_have_url(site.url("/accounts/login/?next=/live/"))
