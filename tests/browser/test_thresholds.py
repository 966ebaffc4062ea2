"""Thresholds are measured on the site's own gallery, read, and proposed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import looks
from tests.browser.site import Account, Site

pytestmark = pytest.mark.browser

GALLERY = """
import cv2
import numpy as np
from recognition.models import FaceSample, FaceTemplate, ModelPack, Person, SampleImage
pack = ModelPack.objects.get(is_active=True)
generator = np.random.default_rng(1)
picture = cv2.imencode(".jpg", np.full((112, 112, 3), 120, np.uint8))[1].tobytes()
for number in range(60):
    person = Person.objects.create(name=f"Person {number} of the very long name that wraps")
    own = generator.normal(size=pack.dimension)
    for sample_number in range(3):
        vector = (own + generator.normal(size=pack.dimension) * 0.9).astype(np.float32)
        vector /= np.linalg.norm(vector)
        sample = FaceSample.objects.create(
            person=person, source="upload", quality={}, image_sha256=f"{person.pk}-{sample_number}")
        FaceTemplate.objects.create(sample=sample, pack=pack, embedding=vector)
        SampleImage.objects.create(sample=sample, jpeg=picture)
"""
"""Sixty people of three samples each."""

PAGE = "/admin/recognition/thresholdpolicy/measured/"


def opened(site: Site) -> Page:
    page = site.page_of()
    page.goto(site.url("/admin/"))
    page.locator("#nav-sidebar-apps").get_by_role("link", name="Thresholds of this gallery").click()
    return page


def is_drawn(page: Page, name: str) -> bool:
    """Whether a chart has a line on it: some pixel that is not empty."""
    figure = page.get_by_role("region", name=name).locator("canvas")
    return bool(
        figure.evaluate(
            "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"
        )
    )


def test_thresholds_are_measured_by_keyboard_and_proposed(site: Site) -> None:
    page = opened(site)
    expect(page.get_by_role("heading", name="Too few people to measure")).to_be_visible()
    looks.inspect(page, "thresholds-too-few")
    site.shell(GALLERY)
    page.reload()
    expect(page.get_by_role("heading", name="Not measured yet")).to_be_visible()
    looks.inspect(page, "thresholds-never")
    page.get_by_role("button", name="Measure now").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Measured on this gallery")).to_be_visible()
    # Read in the moment in which it ended, the page says of the job that it runs, and is loaded once more.
    expect(page.get_by_role("status")).to_have_count(1)
    expect(page.get_by_role("status")).to_contain_text("60 people with 180 samples were compared.")
    for name in ("How alike samples are", "Trade-off of claims (DET)"):
        expect(page.get_by_role("region", name=name).get_by_role("img")).to_be_visible()
        assert is_drawn(page, name)
    page.get_by_role("region", name="How alike samples are").get_by_text("The numbers").click()
    looks.inspect(page, "thresholds-measured")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV, every threshold").click()
    assert download.value.suggested_filename == "faceweb-det.csv"

    claims = page.get_by_role("region", name="Thresholds of claims")
    link = claims.get_by_role("link", name="Propose the threshold").first
    threshold = (link.get_attribute("aria-label") or "").rsplit(" ", 1)[1]
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Verification threshold")).to_have_value(threshold)


def test_who_may_not_see_policies_is_told_so(site: Site) -> None:
    site.complaints.expect("403")
    site.add_users(Account("guard", ("view_alert",), is_staff=True))
    page = site.page_of("guard")
    page.goto(site.url(PAGE))
    expect(page.get_by_role("heading", name="You may not open this page")).to_be_visible()
