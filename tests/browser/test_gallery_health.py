"""The page of the gallery's health: a check is asked for, its findings are dealt with, and nothing is left."""

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
def enrol(name, *starts):
    person = Person.objects.create(name=name)
    for number, start in enumerate(starts):
        vector = np.zeros(pack.dimension, np.float32)
        vector[: len(start)] = start
        vector /= np.linalg.norm(vector)
        front = {"yaw_degrees": 0.0, "pitch_degrees": 0.0}
        sample = FaceSample.objects.create(
            person=person, source="upload", quality=front, image_sha256=f"{person.pk}-{number}")
        FaceTemplate.objects.create(sample=sample, pack=pack, embedding=vector)
        picture = np.full((112, 112, 3), 40 * (number + 2), np.uint8)
        SampleImage.objects.create(sample=sample, jpeg=cv2.imencode(".jpg", picture)[1].tobytes())
enrol("Ada of the very long name that wraps", (1, 0), (1, 0.01), (0, 0, 1))
enrol("Bob", (0.8, 0.6), (0.5, 0.9))
enrol("Eve", (0, 0, 0, 1))
"""
"""Two people who are confused; one has an outlier and a duplicate; a third has one photo."""

PAGE = "/admin/recognition/person/health/"


def open_health(site: Site) -> Page:
    page = site.page_of()
    page.goto(site.url("/admin/"))
    page.locator("#nav-sidebar-apps").get_by_role("link", name="Gallery health").click()
    return page


def test_a_check_is_asked_for_and_its_findings_are_dealt_with_by_keyboard(site: Site) -> None:
    site.shell(GALLERY)
    page = open_health(site)
    expect(page.get_by_role("heading", name="Not checked yet")).to_be_visible()
    looks.inspect(page, "health-never")
    page.get_by_role("button", name="Check now").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="4 findings to look at")).to_be_visible()
    expect(page.get_by_text("The gallery has not changed since.")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("3 people with 6 samples were compared.")
    looks.inspect(page, "health-found")

    confused = page.get_by_role("region", name="People who may be taken for each other: 1")
    expect(confused.get_by_role("img")).to_have_count(2)
    confused.get_by_role("button", name="Really two people").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("are remembered as two people")).to_be_visible()
    expect(page.get_by_role("heading", name="3 findings to look at")).to_be_visible()

    for kind in ("Samples that do not fit their person: 1", "Samples that are there twice: 1"):
        page.get_by_role("region", name=kind).get_by_role("button", name="Set aside").last.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("The sample is set aside")).to_be_visible()
        expect(page.get_by_role("heading", name=kind)).to_have_count(0)
    looks.inspect(page, "health-changed")

    page.get_by_role("region", name="People with too few views").get_by_role("link", name="Add photos of Eve").click()
    expect(page.get_by_label("Choose photos")).to_be_visible()


def test_a_running_check_shows_its_bar_and_gives_way_to_what_it_found(site: Site) -> None:
    site.shell(
        "from django.utils import timezone; from recognition.models import Job; Job.objects.create("
        "kind='gallery_check', state='running', started_at=timezone.now(), attempt=1, done=3, total=10)"
    )
    page = open_health(site)
    expect(page.get_by_role("status")).to_contain_text("Step 3 of 10 is done.")
    looks.inspect(page, "health-running")
    site.shell("from recognition.models import Job; Job.objects.update(done=7)")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "7")
    site.shell(
        "from django.utils import timezone; from recognition.models import Job; "
        "Job.objects.update(state='failed', finished_at=timezone.now(), error_code='no_thresholds')"
    )
    expect(page.get_by_text("did not come to its end")).to_be_visible()
    looks.inspect(page, "health-failed")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("heading", name="Nothing to mend")).to_be_visible()
    looks.inspect(page, "health-nothing")


def test_who_may_not_see_people_is_told_so(site: Site) -> None:
    site.complaints.expect("403")
    site.add_users(Account("guard", ("view_alert",), is_staff=True))
    page = site.page_of("guard")
    page.goto(site.url("/admin/"))
    expect(page.locator("#nav-sidebar-apps").get_by_role("link", name="Gallery health")).to_have_count(0)
    page.goto(site.url(PAGE))
    expect(page.get_by_role("heading", name="You may not open this page")).to_be_visible()
