"""Events are drawn and judged by keyboard alone, and a sample that caused a false match is set aside."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import looks
from tests.browser.past import EVENTS
from tests.browser.site import Account, Site

pytestmark = pytest.mark.browser

JUDGES = (
    "view_recognitionevent",
    "view_reviewbatch",
    "add_reviewbatch",
    "view_verdict",
    "add_verdict",
    "view_facesample",
)


def test_a_review_is_drawn_and_gone_through_by_keyboard_alone(shared_site: Site) -> None:
    page = shared_site.page_of()
    page.goto(shared_site.url("/admin/recognition/reviewbatch/"))
    expect(page.get_by_role("status")).to_contain_text("Nothing was drawn yet.")
    looks.inspect(page, "reviews-empty")
    shared_site.shell(EVENTS)
    shared_site.add_users(Account("second", JUDGES, is_staff=True))
    share = page.get_by_label("Share that a second person judges too")
    share.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="3 events wait for your verdict")).to_be_visible()
    page.locator("#go-on").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("1 of 3", exact=True)).to_be_visible()
    looks.inspect(page, "review-item")
    for place in ("1 of 3", "2 of 3", "3 of 3"):
        expect(page.get_by_text(place, exact=True)).to_be_visible()
        if page.get_by_role("heading", name="Accepted").count():
            page.keyboard.press("n")
            page.keyboard.type("2 brothers")  # goes into the note and gives no verdict
            page.keyboard.press("Escape")
            page.keyboard.press("2")
            expect(page.get_by_role("heading", name="You said: False match.")).to_be_visible()
            looks.inspect(page, "review-false-match")
            page.keyboard.press("a")
            expect(page.get_by_text("It is set aside: it is searched no more.")).to_be_visible()
            page.keyboard.press("Enter")
        else:
            page.keyboard.press("1")
    expect(page.get_by_role("heading", name="Nothing waits for you here")).to_be_visible()
    said = "sorted(Verdict.objects.values_list('code', 'note'))"
    assert shared_site.read(said, imports="from recognition.models import Verdict") == [
        ["false_match", "2 brothers"],
        ["true_non_match", ""],
        ["true_non_match", ""],
    ]

    second = shared_site.page_of("second")
    second.goto(shared_site.url("/admin/recognition/reviewbatch/1/next/"))
    second.get_by_role("checkbox", name="Single keys work").focus()
    second.keyboard.press("Space")  # switched off, a key does nothing
    second.keyboard.press("4")
    second.keyboard.press("Space")
    for place in ("1 of 3", "2 of 3", "3 of 3"):
        expect(second.get_by_text(place, exact=True)).to_be_visible()
        second.locator("body").focus()
        second.evaluate("document.activeElement.blur()")
        second.keyboard.press("1")
    expect(second.get_by_text("Of 3 events that two people judged they agreed on 2")).to_be_visible()
    looks.inspect(second, "review-agreement")
