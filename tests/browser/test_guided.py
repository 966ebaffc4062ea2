"""Guided enrolment: the page asks for five poses, and takes each by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import looks, poses
from tests.browser.site import Site

pytestmark = pytest.mark.browser

SAMPLES = "sorted(FaceSample.objects.values_list('pose', 'source'))"
IMPORTS = "from recognition.models import FaceSample, Person"
ALL = [[pose, "guided"] for pose in ("down", "front", "left", "right", "up")]


def open_page(site: Site, page: Page) -> None:
    site.shell("from recognition.models import Person; Person.objects.create(name='Eileen')")
    number = site.read("Person.objects.get().pk", imports=IMPORTS)
    page.goto(site.url(f"/admin/recognition/person/{number}/change/"))
    page.get_by_role("link", name="Enrol by camera").click()


def expect_state(page: Page, state: str) -> None:
    expect(page.locator("#guided")).to_have_attribute("data-state", state)


def test_a_set_is_taken_by_itself_started_by_keyboard_and_retaken(site: Site, tmp_path: Path) -> None:
    film = poses.video(
        tmp_path / "poses.mjpeg", poses.FRONT, poses.LEFT, poses.RIGHT, poses.UP, poses.DOWN, seconds_a_pose=3.0
    )
    page = site.page_of(camera=film)
    open_page(site, page)
    start = page.get_by_role("button", name="Start")
    expect(start).to_be_focused()
    looks.inspect(page, "guided-idle")
    page.keyboard.press("Space")
    expect_state(page, "running")
    page.keyboard.press("Enter")
    expect_state(page, "paused")
    page.keyboard.press("Enter")
    expect_state(page, "done")
    expect(page.get_by_role("heading", name="The set is complete")).to_be_visible()
    assert site.read(SAMPLES, imports=IMPORTS) == ALL
    # The portrait raised so far is hardly like itself: doubtful, which completes the set and is said.
    raised = page.locator("#guided-slots li", has_text="Up")
    expect(raised).to_contain_text("set aside")
    expect(raised).to_contain_text("The face is unlike every other photo of Eileen")
    expect(raised.get_by_role("link", name="Look and decide")).to_be_visible()
    looks.inspect(page, "guided-done")

    page.reload()
    expect_state(page, "done")
    before = site.read("FaceSample.objects.get(pose='front').pk", imports=IMPORTS)
    page.get_by_role("button", name="Retake: Front").focus()
    page.keyboard.press("Enter")
    expect_state(page, "running")
    expect_state(page, "done")
    assert site.read(SAMPLES, imports=IMPORTS) == ALL
    assert site.read("FaceSample.objects.get(pose='front').pk", imports=IMPORTS) != before


def test_advice_tells_what_is_missing_and_a_pose_is_skipped(site: Site, tmp_path: Path) -> None:
    page = site.page_of(camera=poses.video(tmp_path / "front.mjpeg", poses.FRONT, seconds_a_pose=3.0))
    open_page(site, page)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Turn your head to your left")).to_be_visible()
    expect(page.locator("#guided-advice")).to_have_text("Turn further to your left.")
    looks.inspect(page, "guided-running")
    for instruction in ("Turn your head to your right", "Raise your chin", "Lower your chin"):
        page.get_by_role("button", name="Skip this pose").click()
        expect(page.get_by_role("heading", name=instruction)).to_be_visible()
    page.get_by_role("button", name="Skip this pose").click()
    expect_state(page, "paused")
    assert site.read(SAMPLES, imports=IMPORTS) == [["front", "guided"]]

    site.complaints.expect(r"guided/frame|guided/$")
    page.get_by_role("button", name="Start").click()
    expect_state(page, "running")
    page.context.clear_cookies()
    expect(page.get_by_role("heading", name="You are logged out")).to_be_visible()
    looks.inspect(page, "guided-logged-out")


def test_without_a_camera_the_page_says_what_to_do(site: Site) -> None:
    page = site.page_of()
    open_page(site, page)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="No camera found")).to_be_visible()
    looks.inspect(page, "guided-no-camera")
    expect(page.get_by_role("button", name="Try again")).to_be_enabled()
