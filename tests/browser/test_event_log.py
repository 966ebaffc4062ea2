"""The log of events: filtered, gone through page by page, and a filter kept; by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import looks
from tests.browser.past import EVENTS, MANY
from tests.browser.site import Site

pytestmark = pytest.mark.browser

LOG = "/admin/recognition/recognitionevent/"


def test_the_log_is_filtered_paged_and_a_filter_is_kept_by_keyboard(shared_site: Site) -> None:
    page = shared_site.page_of()
    page.goto(shared_site.url(LOG))
    expect(page.get_by_role("status")).to_contain_text("No event yet.")
    shared_site.shell(EVENTS + MANY)
    page.reload()
    events = page.locator(".faceweb-log > li")
    expect(events).to_have_count(50)

    page.get_by_role("navigation", name="Pages", exact=True).get_by_role("link", name="Older").focus()
    page.keyboard.press("Enter")
    expect(events).to_have_count(13)
    page.get_by_role("navigation", name="Pages", exact=True).get_by_role("link", name="Newer").focus()
    page.keyboard.press("Enter")
    expect(events).to_have_count(50)

    page.get_by_label("Text", exact=True).focus()
    page.keyboard.type("guard glasses")
    page.keyboard.press("Enter")
    expect(events).to_have_count(1)
    expect(events).to_contain_text("overridden")

    page.get_by_text("Save this filter").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("New glasses")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The filter “New glasses” is saved.")).to_be_visible()
    looks.inspect(page, "event-log-filtered")

    page.get_by_role("link", name="No filter").click()
    page.get_by_role("link", name="New glasses").focus()
    page.keyboard.press("Enter")
    expect(events).to_have_count(1)
    page.goto(shared_site.url(f"{LOG}?person=Nobody&similarity_from=7"))
    expect(page.get_by_role("alert")).to_contain_text("Nobody is called so.")
    looks.inspect(page, "event-log-wrong")
