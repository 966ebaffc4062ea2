"""The right one of several faces is clicked, with a mouse, on a phone and by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import faces
from tests.browser import looks, people
from tests.browser.looks import THEMES, Theme
from tests.browser.site import Site

pytestmark = pytest.mark.browser

SAMPLES = "FaceSample.objects.count()"
PHOTOS = "WaitingPhoto.objects.count()"
IMPORTS = "from recognition.models import FaceSample, WaitingPhoto"


@pytest.fixture(scope="module")
def group_photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people, one of them in profile."""
    return people.group_photo(tmp_path_factory.mktemp("group"))


def upload(site: Site, page: Page, photo: Path, name: str) -> None:
    """Adds a person and chooses the photo, as far as the page that asks which face it is."""
    page.goto(site.url("/admin/recognition/person/add/"))
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Choose photos").set_input_files(photo)
    page.get_by_role("button", name="Enrol photos").click()
    expect(page.get_by_text(f"Click the face of {name}")).to_be_visible()


def is_over_its_face(page: Page, number: int) -> bool:
    """Whether the middle of the drawn box is where the mouse meets the button of that number."""
    button = page.locator(".faceweb-photo button").nth(number - 1)
    button.scroll_into_view_if_needed()
    place = button.bounding_box()
    photo = page.locator(".faceweb-photo img").bounding_box()
    assert place is not None
    assert photo is not None
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    inside = photo["x"] < x < photo["x"] + photo["width"] and photo["y"] < y < photo["y"] + photo["height"]
    met = page.evaluate("([x, y]) => document.elementFromPoint(x, y)?.value", [x, y])
    return inside and met == str(number)


@pytest.mark.parametrize("theme", THEMES)
def test_a_click_on_a_face_enrols_it_on_a_wide_screen_and_on_a_phone(
    site: Site, group_photo: Path, theme: Theme
) -> None:
    page = site.page_of(color_scheme=theme)
    upload(site, page, group_photo, "Ada")
    looks.inspect(page, f"choose-{theme}")
    page.set_viewport_size({"width": 360, "height": 740})
    looks.inspect(page, f"choose-{theme}-phone")
    expect(page.locator(".faceweb-photo button")).to_have_count(faces.PEOPLE_IN_GROUP)
    assert all(is_over_its_face(page, number) for number in range(1, faces.PEOPLE_IN_GROUP + 1))
    page.locator(".faceweb-photo").get_by_role("button", name="Enrol face 2").click()
    expect(page.get_by_text("Face 2 is enrolled.")).to_be_visible()
    assert site.read(f"[{SAMPLES}, {PHOTOS}]", imports=IMPORTS) == [1, 0]


def test_a_face_is_chosen_by_keyboard_and_a_photo_is_put_off(site: Site, group_photo: Path) -> None:
    page = site.page_of()
    upload(site, page, group_photo, "Bo")
    page.get_by_role("link", name="Choose later").click()
    page.get_by_role("link", name="group.jpg").click()
    wanted = page.locator(".faceweb-photo").get_by_role("button", name="Enrol face 1")
    page.get_by_role("link", name="Choose later").focus()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            break
    expect(wanted).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Face 1 is enrolled.")).to_be_visible()
    expect(page.get_by_role("link", name="group.jpg")).to_have_count(0)


def test_none_of_them_is_a_choice_too(site: Site, group_photo: Path) -> None:
    page = site.page_of()
    upload(site, page, group_photo, "Cyd")
    page.get_by_role("button", name="None of them").click()
    expect(page.get_by_text("nobody was enrolled")).to_be_visible()
    assert site.read(f"[{SAMPLES}, {PHOTOS}]", imports=IMPORTS) == [0, 0]
