"""What a person does on the live page, and waits for there."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.site import Site


def start(site: Site, page: Page) -> None:
    """Opens the page and starts the camera."""
    page.goto(site.url("/live/"))
    page.get_by_role("button", name="Start", exact=True).click()
    expect_state(page, "running")


def expect_state(page: Page, state: str) -> None:
    """Waits until the page is in a state."""
    expect(page.locator("#live")).to_have_attribute("data-state", state)


def decision(page: Page, name: str) -> Locator:
    """The newest decision of that name in the strip; "Unknown" for strangers."""
    return page.locator("#decisions .decision", has_text=name).first


def expect_in_view(page: Page, name: str) -> None:
    """Waits until a face is shown with that name right now."""
    expect(page.locator("#in-view .face", has_text=name).first).to_be_visible()
