"""A data set is taken with the camera and read back; people's pictures are taken from their list."""

from __future__ import annotations

import base64
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from recognition.vision import geometry, images
from recognition.vision.types import BoundingBox
from tests import faces
from tests.browser import looks, poses
from tests.browser.site import Site

pytestmark = pytest.mark.browser

IMPORTS = "from recognition.models import FaceSample, Person"

STORED = """
import base64
from recognition.models import FaceSample, Person, SampleImage
for name in ("Ada", "Bo"):
    person = Person.objects.create(name=name)
    sample = FaceSample.objects.create(person=person, source="upload", quality={}, image_sha256=name)
SampleImage.objects.create(sample=FaceSample.objects.get(person__name="Ada"), jpeg=base64.b64decode("%s"))
"""
"""Two people with a sample each, of which one has a picture."""


def expect_state(page: Page, state: str) -> None:
    expect(page.locator("#capture")).to_have_attribute("data-state", state)


def test_pictures_are_taken_by_keyboard_under_a_name_and_come_as_a_labelled_folder(site: Site, tmp_path: Path) -> None:
    film = poses.video(tmp_path / "poses.mjpeg", poses.FRONT, poses.LEFT, seconds_a_pose=2.0)
    page = site.page_of(camera=film)
    page.goto(site.url("/admin/"))
    page.get_by_role("link", name="Data set by camera").click()
    label = page.get_by_label("Who sits before the camera")
    expect(label).to_be_focused()
    expect(page.get_by_role("heading", name="Data set by camera", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Data set by camera")
    page.set_viewport_size({"width": 1366, "height": 768})
    expect(page.get_by_role("button", name="Start")).to_be_in_viewport(ratio=1)
    expect(page.locator(".faceweb-guided-stage")).to_be_in_viewport(ratio=1)
    looks.inspect(page, "capture-idle")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Name the person first")).to_be_visible()
    page.keyboard.type("Mae/Jemison")
    page.keyboard.press("Enter")
    expect_state(page, "running")
    expect(page.locator("#capture-pictures li")).not_to_have_count(0)
    expect(page.get_by_role("heading", name="2 pictures")).to_be_visible()
    label.fill("Eileen")
    expect_state(page, "paused")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="4 pictures")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    expect_state(page, "paused")
    looks.inspect(page, "capture-taken")
    assert download.value.suggested_filename == "dataset.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        names = archive.namelist()
        sizes = {kind: images.decode(archive.read(f"Mae Jemison/{kind}/0001.jpg")) for kind in ("originals", "aligned")}
    assert {name.rpartition("/")[0] for name in names} == {
        f"{folder}/{kind}" for folder in ("Mae Jemison", "Eileen") for kind in ("originals", "aligned")
    }
    assert sizes["aligned"].shape == (112, 112, 3)
    assert sizes["originals"].shape == (480, 640, 3)
    assert site.read("[FaceSample.objects.count(), Person.objects.count()]", imports=IMPORTS) == [0, 0]
    page.get_by_role("button", name="Discard all").click()
    expect(page.get_by_role("heading", name="No pictures yet")).to_be_visible()
    expect(page.get_by_role("button", name="Download")).to_be_disabled()


def test_without_a_camera_the_page_says_what_to_do(site: Site) -> None:
    page = site.page_of()
    page.goto(site.url("/admin/recognition/person/capture/"))
    page.get_by_label("Who sits before the camera").fill("Ada")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="No camera found")).to_be_visible()
    looks.inspect(page, "capture-no-camera")


def test_a_logged_out_page_keeps_its_pictures(site: Site, tmp_path: Path) -> None:
    page = site.page_of(camera=poses.video(tmp_path / "front.mjpeg", poses.FRONT, seconds_a_pose=2.0))
    page.goto(site.url("/admin/recognition/person/capture/"))
    page.get_by_label("Who sits before the camera").fill("Ada")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="1 picture")).to_be_visible()
    site.complaints.expect(r"capture/frame")
    page.context.clear_cookies()
    expect(page.get_by_role("heading", name="You are logged out")).to_be_visible()
    with page.expect_download():
        page.get_by_role("button", name="Download").click()


def test_the_list_of_people_gives_their_pictures(site: Site) -> None:
    face = geometry.crop_square(faces.astronaut(), BoundingBox(172, 62, 282, 172), context=2.5, side_px=400)
    site.shell(STORED % base64.b64encode(faces.jpeg(face)).decode())
    page = site.page_of()
    page.goto(site.url("/admin/recognition/person/"))
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("export_dataset")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("1 sample has no picture and is left out")).to_be_visible()
    expect(page.get_by_role("heading", name="Export as a labelled folder").first).to_be_visible()
    looks.inspect(page, "dataset-export")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the archive").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["Ada/originals/0001.jpg", "Ada/aligned/0001.jpg", "people.csv"]
