"""A video is uploaded, watched, played with names, taken away, and compared with a person."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from recognition.vision.videos import Video
from tests import films
from tests.browser import looks, people
from tests.browser.people import ASTRONAUT
from tests.browser.site import Site

pytestmark = pytest.mark.browser


def test_a_video_is_watched_and_its_film_played(site: Site, tmp_path: Path) -> None:
    page = site.page_of()
    site.enrol(page, ASTRONAUT, [people.astronaut_photo(tmp_path)])
    page.goto(site.url("/admin/recognition/video/"))
    page.get_by_role("link", name="Upload a video").click()
    looks.inspect(page, "video-upload")
    page.locator("#id_upload").set_input_files(films.of_the_astronaut(tmp_path / "hall.mp4"))
    page.get_by_role("button", name="Upload and watch").click()
    expect(page.get_by_text("1 person was recognised, 1 event was stored.")).to_be_visible()
    expect(page.get_by_role("link", name=ASTRONAUT)).to_be_visible()
    page.wait_for_function("() => document.getElementById('film').readyState >= 2")
    looks.inspect(page, "video")

    page.get_by_role("button", name="0:00.5 to 0:01.7").press("Enter")
    page.wait_for_function("() => document.getElementById('film').currentTime >= 0.5")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the film").click()
    film = tmp_path / download.value.suggested_filename
    download.value.save_as(film)
    with Video(film) as video:
        assert len(list(video.frames())) == 25
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert ASTRONAUT in download.value.path().read_text()

    page.get_by_label("External id, or name").fill(ASTRONAUT)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page).to_have_url(re.compile("#comparisons$"))
    expect(page.get_by_role("heading", name="Is this person in it?")).to_be_in_viewport()
    expect(page.get_by_role("listitem").filter(has_text="Yes: mean similarity")).to_contain_text(ASTRONAUT)
    expect(page.get_by_role("heading", name="Is this person in it?")).to_be_in_viewport()
    expect(page.locator("#submit-row")).to_have_css("position", "static")  # it would lie over the player's controls
    page.get_by_text("Delete this video").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("The video is deleted")).to_be_visible()


def test_what_cannot_be_watched_says_why(site: Site, tmp_path: Path) -> None:
    text, broken = tmp_path / "text.mp4", tmp_path / "broken.mp4"
    text.write_bytes(b"no video")
    broken.write_bytes(b"\x00\x00\x00\x20ftypisom")
    page = site.page_of()
    site.complaints.expect("422")
    page.goto(site.url("/admin/recognition/video/add/"))
    page.locator("#id_upload").set_input_files(text)
    page.get_by_role("button", name="Upload and watch").click()
    expect(page.locator("#upload-progress")).to_contain_text("This is no video")
    expect(page.locator("#upload-progress")).to_contain_class("is-problem")
    looks.inspect(page, "video-refused")
    page.locator("#id_upload").set_input_files(broken)
    page.get_by_role("button", name="Upload and watch").click()
    expect(page.get_by_text("it is broken or cut off")).to_be_visible()
    expect(page.get_by_role("button", name="Watch it again")).to_be_visible()
    looks.inspect(page, "video-broken")
    for name in ("video", "job"):
        page.goto(site.url(f"/admin/recognition/{name}/"))
        expect(page.get_by_text("it is broken or cut off")).to_be_visible()
        looks.inspect(page, f"{name}-list-with-a-failure")
