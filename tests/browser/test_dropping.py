"""Files that are dropped onto a page are taken like chosen ones."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import JSHandle, Page, expect

from tests import films
from tests.browser import people
from tests.browser.site import Site

pytestmark = pytest.mark.browser

CARRIED = """([name, content]) => {
    const carried = new DataTransfer();
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    carried.items.add(new File([bytes], name, { type: "image/jpeg" }));
    return carried;
}"""


def carried(page: Page, photo: Path) -> JSHandle:
    """A file as it hangs on the mouse."""
    return page.evaluate_handle(CARRIED, [photo.name, base64.b64encode(photo.read_bytes()).decode()])


def test_a_dropped_photo_is_judged_like_a_chosen_one(site: Site, tmp_path: Path) -> None:
    page = site.page_of()
    page.goto(site.url("/admin/recognition/person/add/"))
    page.get_by_label("Name").fill("Dropped")
    page.get_by_role("button", name="Save", exact=True).click()
    target = page.locator("#enrol-drop")
    expect(page.locator("#enrol-drop-hint")).to_be_visible()
    photo = {"dataTransfer": carried(page, people.photo_of_nobody(tmp_path))}
    target.dispatch_event("dragover", photo)
    expect(target).to_contain_class("is-over")
    target.dispatch_event("drop", photo)
    expect(page.locator("#enrol-results .is-refused", has_text="bricks.jpg")).to_contain_text("No face was found.")
    expect(page.locator("#enrol-progress")).to_have_text("0 of 1 photos were enrolled.")


def test_a_dropped_video_is_chosen(site: Site, tmp_path: Path) -> None:
    page = site.page_of()
    page.goto(site.url("/admin/recognition/video/add/"))
    target = page.get_by_text("or drop it here")
    expect(target).to_be_visible()
    target.dispatch_event("drop", {"dataTransfer": carried(page, films.of_nobody(tmp_path / "hall.mp4"))})
    assert page.get_by_label("Choose a video").evaluate("input => [...input.files].map(({ name }) => name)") == [
        "hall.mp4"
    ]
