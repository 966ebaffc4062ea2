"""People are imported from an archive: uploaded, looked at, started, and looked at again."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests import faces
from tests.browser import looks, people
from tests.browser.site import Site

pytestmark = pytest.mark.browser


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "staff.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.write(people.astronaut_photo(tmp_path), "staff/Eileen_Collins/1.jpg")
        file.writestr("staff/Wall/1.jpg", faces.jpeg(faces.textures()["brick"]))
        file.writestr("staff/Wall/2.jpg", b"no picture")
    return path


def test_an_archive_is_imported_and_tells_what_became_of_each_file(site: Site, archive: Path, tmp_path: Path) -> None:
    page = site.page_of()
    page.goto(site.url("/admin/recognition/importbatch/"))
    page.get_by_role("link", name="Upload", exact=True).click()
    looks.inspect(page, "import-upload")
    page.get_by_label("ZIP archive, or photos").set_input_files(tmp_path / "astronaut.jpg")
    page.get_by_label("ZIP archive, or photos").set_input_files(archive)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_role("heading", name="This would happen")).to_be_visible()
    expect(page.get_by_text("3 files, 2 people.")).to_be_visible()
    looks.inspect(page, "import-planned")

    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Enrolled: 1. Set aside: 0. Known already: 0. Not used: 2.")).to_be_visible()
    expect(page.get_by_role("cell", name="No face was found.")).to_be_visible()
    looks.inspect(page, "import-done")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert "staff/Wall/2.jpg" in download.value.path().read_text()
    page.get_by_role("link", name="Eileen Collins").click()
    expect(page.get_by_label("Name")).to_have_value("Eileen Collins")


def test_a_hostile_archive_is_refused_on_the_page(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../evil.jpg", b"x")
    page = site.page_of()
    site.complaints.expect("422")
    page.goto(site.url("/admin/recognition/importbatch/add/"))
    page.get_by_label("ZIP archive, or photos").set_input_files(path)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.locator("#import-progress")).to_contain_text("leads out of the archive")
    expect(page.get_by_role("button", name="Upload and look")).to_be_enabled()


def test_a_folder_with_more_photos_than_a_form_sends_is_uploaded_with_its_paths(site: Site, tmp_path: Path) -> None:
    staff = tmp_path / "staff"
    for number in range(130):
        place = staff / f"Person {number}" / "1.jpg"
        place.parent.mkdir(parents=True)
        place.write_bytes(b"photo %d" % number)
    (staff / "Zoë").mkdir()
    (staff / "Zoë" / "1.jpg").write_bytes(b"a photo")
    page = site.page_of()
    page.goto(site.url("/admin/recognition/importbatch/add/"))
    page.get_by_label("Or a folder of photos").set_input_files(staff)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_text("131 files, 131 people.")).to_be_visible()
    expect(page.get_by_role("cell", name="staff/Person 0/1.jpg")).to_be_visible()
    page.get_by_role("link", name="On", exact=True).click()
    expect(page.get_by_role("cell", name="staff/Zoë/1.jpg")).to_be_visible()
    page.get_by_role("button", name="Delete the upload").click()
    expect(page.get_by_text("nobody was enrolled")).to_be_visible()


def test_many_photos_are_uploaded_as_one_and_none_of_two_of_one_name_is_lost(site: Site, tmp_path: Path) -> None:
    page = site.page_of()
    page.goto(site.url("/admin/recognition/importbatch/add/"))
    photos = [
        {"name": f"Person_{min(number, 118)}.jpg", "mimeType": "image/jpeg", "buffer": b"%d" % number}
        for number in range(120)
    ]
    page.get_by_label("ZIP archive, or photos").set_input_files(photos)  # type: ignore[arg-type]
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_text("120 files, 1 person.")).to_be_visible()
    expect(page.get_by_role("cell", name="Person (2).jpg")).to_be_visible()
    page.get_by_role("button", name="Delete the upload").click()
    expect(page.get_by_text("nobody was enrolled")).to_be_visible()


def test_more_than_can_be_sent_is_told_before_it_is_sent(site: Site, tmp_path: Path) -> None:
    page = site.page_of()
    page.goto(site.url("/admin/recognition/importbatch/add/"))
    page.locator("#import-form").evaluate("form => { form.dataset.mostBytes = '10'; }")
    photo = tmp_path / "Ada.jpg"
    photo.write_bytes(b"eleven byte")
    page.get_by_label("ZIP archive, or photos").set_input_files(photo)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.locator("#import-progress")).to_contain_text("At most 65,000 files")
    expect(page.get_by_role("button", name="Upload and look")).to_be_enabled()
