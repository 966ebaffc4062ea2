"""The live page records what is seen, and takes pictures of it."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from recognition.vision.videos import Video
from tests.browser import live_page, looks, people
from tests.browser.people import ASTRONAUT
from tests.browser.site import Account, Site
from tests.processes import PROJECT

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faces")


@pytest.fixture(scope="module")
def camera(folder: Path) -> Path:
    return people.astronaut_video(folder)


def saved(page: Page, folder: Path) -> Path:
    """The recording, as it is downloaded."""
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Download the recording")).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def green(image_bgr: np.ndarray) -> int:
    """Pixels of the line around somebody who is known, which nothing else of the picture has."""
    near = np.abs(image_bgr.astype(int) - (128, 222, 74)).max(axis=2) < 60
    return int(near.sum())


def test_what_is_seen_is_recorded_and_photographed(site: Site, camera: Path, folder: Path) -> None:
    page = site.page_of(camera=camera)
    site.enrol(page, ASTRONAUT, [people.astronaut_photo(folder)])
    page.goto(site.url("/live/"))
    expect(page.get_by_role("button", name="Snapshot")).to_be_disabled()
    live_page.start(site, page)
    page.get_by_role("button", name="Record", exact=True).click()
    live_page.expect_in_view(page, ASTRONAUT)
    expect(page.locator("#recording")).to_be_visible()
    looks.inspect(page, "live-recording")
    live_page.expect_in_view(page, ASTRONAUT)
    with page.expect_download() as download:
        page.keyboard.press("s")
    picture = cv2.imread(str(download.value.path()), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[:2] == (480, 640)
    # Counted from here, because nothing is drawn, and so recorded, while the page is inspected.
    page.wait_for_function(
        "after => document.getElementById('recording-clock').textContent.split(':').at(-1) - after >= 2",
        arg=int((page.locator("#recording-clock").text_content() or "").split(":")[-1]),
    )
    page.keyboard.press("r")
    expect(page.locator("#capture-said")).to_contain_text("only this page has it")
    expect(page.locator("#recording")).to_be_hidden()
    looks.inspect(page, "live-recorded")
    with Video(saved(page, folder)) as video:
        frames = list(video.frames())
    assert len(frames) > 10
    assert frames[-1].at_s >= 1.5
    assert max(green(frame.image_bgr) for frame in frames) > 500


def test_it_ends_by_itself_and_with_the_camera(site: Site, camera: Path, folder: Path) -> None:
    def sooner(route: Route) -> None:
        source = (PROJECT / "static" / "js" / "recording.js").read_text(encoding="utf-8")
        route.fulfill(body=source.replace("20 * 60 * 1000", "3000"), content_type="text/javascript")

    page = site.page_of(camera=camera)
    page.on("dialog", lambda dialog: dialog.accept())  # asks before a recording is lost
    page.route("**/js/recording.js", sooner)
    live_page.start(site, page)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator("#capture-said")).to_contain_text("has ended by itself")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator("#recording-clock")).to_have_text("0:01")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#capture-said")).to_contain_text("The recording has ended.")
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_disabled()


def test_a_browser_that_cannot_record_explains_it(site: Site, camera: Path) -> None:
    page = site.page_of(camera=camera)
    page.add_init_script("delete window.MediaRecorder")
    live_page.start(site, page)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator("#capture-said")).to_contain_text("This browser cannot record")


def test_who_may_not_record_sees_no_button(site: Site, camera: Path) -> None:
    site.add_users(Account("watcher", ("use_live",)))
    page = site.page_of("watcher", camera)
    live_page.start(site, page)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Record")).to_have_count(0)
    page.keyboard.press("s")
    expect(page.locator("#live")).to_have_attribute("data-state", "running")
