"""A real gallery goes over to another pack: tried out by a job, read, and switched; somebody without photos is left."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import shared_data
from tests.browser import looks
from tests.browser.site import Site
from tests.shared_data import lfw_photo

pytestmark = [pytest.mark.browser, shared_data.needed]

PACK = shared_data.FOLDER / "packs" / "scrfd_mbf"
JOB_TIMEOUT_MS = 90_000
"""The networks of the pack are loaded where jobs run, which takes seconds on an idle machine."""

STATE = (
    "[ModelPack.objects.get(is_active=True).name, FaceTemplate.objects.filter(pack__is_active=True).count(), "
    "FaceTemplate.objects.count()]"
)


def state(site: Site) -> object:
    """The name of the pack in use, how many templates it has, and how many there are in all."""
    return site.read(STATE, imports="from recognition.models import FaceTemplate, ModelPack")


def test_a_gallery_is_embedded_by_another_pack_and_switched(own_site: Site) -> None:
    status, output = own_site.command_line.run("models", "use", str(PACK), "--dry-run")
    assert status == 0, output
    assert "scrfd_mbf is not in use; nothing was switched." in output
    page = own_site.page_of()
    own_site.enrol(page, "Wu Yi", [lfw_photo("Wu_Yi", 1), lfw_photo("Wu_Yi", 2)])
    own_site.enrol(page, "Queen Sofia", [lfw_photo("Queen_Sofia", 1)])
    own_site.shell(
        "from recognition.models import SampleImage; "
        "SampleImage.objects.filter(sample__person__name='Queen Sofia').delete()"
    )
    assert state(own_site) == ["opencv-zoo", 3, 3]

    page.goto(own_site.url("/admin/recognition/modelpack/"))
    page.get_by_role("link", name="scrfd_mbf").click()
    looks.inspect(page, "pack-untried")
    page.get_by_role("button", name="Try it out").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#job")).to_have_attribute("data-state", "succeeded", timeout=JOB_TIMEOUT_MS)
    expect(page.locator("#job-sentence")).to_contain_text("embedded: 2 of 3")
    expect(page.get_by_role("heading", name="People who would not be found any more: 1")).to_be_visible()
    expect(page.get_by_role("link", name="Queen Sofia")).to_be_visible()
    looks.inspect(page, "pack-trial")
    assert state(own_site) == ["opencv-zoo", 3, 5]

    page.goto(own_site.url("/admin/recognition/modelpack/"))
    page.get_by_role("link", name="scrfd_mbf").click()
    page.locator("summary", has_text="Switch").click()
    looks.inspect(page, "pack-tried")
    page.get_by_role("checkbox", name="Although people are not found any more").check()
    page.get_by_role("button", name="Yes, switch now").click()
    expect(page.get_by_text("scrfd_mbf is in use now")).to_be_visible()
    expect(page.get_by_text("1 sample is not found")).to_be_visible()
    assert state(own_site) == ["scrfd_mbf", 2, 5]
