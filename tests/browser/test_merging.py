"""Two rows of one person are merged, and apart again; a row of two people is split."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import looks
from tests.browser.site import Site

pytestmark = pytest.mark.browser

# Vectors of our own: the pages show what was enrolled, whoever it was.
ENROLLED = """
import cv2
import numpy as np
from recognition.models import *
pack = ModelPack.objects.get(is_active=True)
def enrol(name, *axes):
    person = Person.objects.create(name=name)
    for axis in axes:
        vector = np.zeros(pack.dimension, np.float32)
        vector[axis] = 1
        sample = FaceSample.objects.create(
            person=person, source="upload", image_sha256=f"{name}{axis}",
            quality={"yaw_degrees": 30.0 * axis, "pitch_degrees": 0.0, "luminance_mean": 0.5},
        )
        FaceTemplate.objects.create(sample=sample, pack=pack, embedding=vector)
        picture = np.full((112, 112, 3), 60 * (axis + 1), np.uint8)
        SampleImage.objects.create(sample=sample, jpeg=cv2.imencode(".jpg", picture)[1].tobytes())
enrol("Grace Hopper", 0, 1)
enrol("G. Hopper", 2)
"""
COUNTS = "{p.name: p.samples.count() for p in Person.objects.filter(merged_into=None)}"


def counts(site: Site) -> object:
    return site.read(COUNTS, imports="from recognition.models import Person")


def test_merge_and_undo_and_split(site: Site) -> None:
    site.shell(ENROLLED)
    page = site.page_of()
    page.goto(site.url("/admin/recognition/person/"))
    page.get_by_role("link", name="G. Hopper").click()
    looks.inspect(page, "person-glance")
    page.get_by_role("link", name="Merge with somebody").click()
    page.get_by_label("Who is also G. Hopper?").fill("grace")
    page.keyboard.press("Enter")
    looks.inspect(page, "merge-search")
    page.get_by_role("link", name="Grace Hopper").click()
    page.get_by_role("radio", name="Grace Hopper").check()
    looks.inspect(page, "merge")
    page.get_by_role("button", name="Merge them").click()
    expect(page.get_by_text("G. Hopper is merged into Grace Hopper.")).to_be_visible()
    assert counts(site) == {"Grace Hopper": 3}

    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is undone. 1 sample went back.")).to_be_visible()
    assert counts(site) == {"Grace Hopper": 2, "G. Hopper": 1}

    page.goto(site.url("/admin/recognition/person/"))
    page.get_by_role("link", name="Grace Hopper").click()
    page.get_by_role("link", name="Split").click()
    page.get_by_role("checkbox", name="Photo 1").check()
    page.get_by_label("Name of the other person").fill("Ada")
    page.get_by_label("External id of the other person").fill("A-1")
    looks.inspect(page, "split")
    page.get_by_role("button", name="Split").click()
    expect(page.get_by_text("Ada is a person of their own now")).to_be_visible()
    assert counts(site) == {"Grace Hopper": 1, "G. Hopper": 1, "Ada": 1}
    expect(page.get_by_label("External id")).to_have_value("A-1")


def test_no_photos_are_kept_of_somebody(site: Site) -> None:
    site.shell(ENROLLED)
    page = site.page_of()
    page.goto(site.url("/admin/recognition/person/"))
    page.get_by_role("link", name="G. Hopper").click()
    page.get_by_text("Keep no photos").click()
    expect(page.get_by_text("1 photo is deleted and cannot be brought back.")).to_be_visible()
    looks.inspect(page, "person-keep-no-photos")
    page.get_by_role("button", name="Delete the photos").click()
    expect(page.get_by_text("only templates are kept from now on")).to_be_visible()
    expect(page.get_by_text("not kept: templates alone")).to_be_visible()
    looks.inspect(page, "person-without-photos")


def test_photos_are_set_aside_used_again_and_deleted_by_keyboard(site: Site) -> None:
    site.shell(ENROLLED)
    page = site.page_of()
    page.goto(site.url("/admin/recognition/person/"))
    page.get_by_role("link", name="Grace Hopper").click()
    photos = page.get_by_role("region", name="Photos")
    expect(photos.get_by_role("listitem")).to_have_count(2)
    photos.get_by_role("button", name="Set aside photo 1").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The sample is set aside")).to_be_visible()
    looks.inspect(page, "person-photos")
    photos.get_by_role("button", name="Use photo 1").focus()
    page.keyboard.press("Enter")
    expect(photos.get_by_role("button", name="Set aside photo 1")).to_be_visible()
    photos.get_by_role("link", name="Delete photo 2").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Yes, I").click()
    expect(page.get_by_text("The sample is deleted.")).to_be_visible()
    expect(photos.get_by_role("listitem")).to_have_count(1)


def test_the_history_is_read_page_by_page_and_leads_to_what_it_is_about(site: Site) -> None:
    site.shell(ENROLLED)
    site.shell(
        "from recognition.models import Person; from recognition.services import merging, people\n"
        "grace, other = Person.objects.order_by('pk')\n"
        "merging.merge(keep=grace, gone=other, actor=None)\n"
        "for _ in range(25): people.set_pin(person=grace, pin='1234', actor=None)"
    )
    page = site.page_of()
    page.goto(site.url("/admin/recognition/person/"))
    page.get_by_role("link", name="Grace Hopper").click()
    page.get_by_text("History: 26 entries").click()
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_text("Page 2 of 2")).to_be_visible()
    looks.inspect(page, "person-history")
    page.locator("#history").get_by_role("link", name="G. Hopper").click()
    expect(page.get_by_text("That row was merged into this person.")).to_be_visible()
