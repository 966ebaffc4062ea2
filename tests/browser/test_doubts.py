"""A photo of somebody who is enrolled under another name is set aside, looked at, and answered."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests import faces
from tests.browser import looks, people
from tests.browser.site import Site

pytestmark = pytest.mark.browser


def test_a_face_of_somebody_else_waits_until_they_are_told_apart(site: Site, tmp_path: Path) -> None:
    page = site.page_of()
    site.enrol(page, "Ada", [people.astronaut_photo(tmp_path)])
    smaller = np.asarray(cv2.resize(faces.astronaut(), None, fx=0.8, fy=0.8), np.uint8)
    photo = tmp_path / "again.jpg"
    photo.write_bytes(faces.jpeg(smaller))

    page.goto(site.url("/admin/recognition/person/add/"))
    page.get_by_label("Name").fill("Bob")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Choose photos").set_input_files(photo)
    page.get_by_role("button", name="Enrol photos").click()
    result = page.locator("#enrol-results li.is-set-aside")
    expect(result).to_contain_text("The face is like Ada, more than like Bob")
    expect(page.locator("#enrol-progress")).to_have_text("0 of 1 photos were enrolled.")
    looks.inspect(page, "set-aside")

    page.goto(site.url("/admin/"))
    page.get_by_role("link", name="Look at them").click()
    page.locator("#result_list img").first.click()
    expect(page.get_by_role("heading", name="Set aside: is this right?")).to_be_visible()
    looks.inspect(page, "doubt")

    page.get_by_role("button", name="Really two people").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ada are remembered as two people. 1 sample is searched again.")).to_be_visible()
    expect(page.get_by_role("heading", name="What was answered")).to_be_visible()
    statuses = site.read(
        "sorted(FaceSample.objects.values_list('status', flat=True))",
        imports="from recognition.models import FaceSample",
    )
    assert statuses == ["active", "active"]
