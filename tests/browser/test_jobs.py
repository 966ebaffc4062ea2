"""The jobs page: a gallery check is asked for, seen running, and read; and one is cancelled."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import looks
from tests.browser.looks import THEMES, Theme
from tests.browser.site import Site

pytestmark = pytest.mark.browser

GALLERY = """
import numpy as np
from recognition.models import FaceSample, FaceTemplate, ModelPack, Person, SampleImage
pack = ModelPack.objects.get(is_active=True)
def enrol(name, *starts):
    person = Person.objects.create(name=name)
    for number, start in enumerate(starts):
        vector = np.zeros(pack.dimension, np.float32)
        vector[: len(start)] = start
        vector /= np.linalg.norm(vector)
        sample = FaceSample.objects.create(
            person=person, source="upload", quality={}, image_sha256=f"{person.pk}-{number}")
        FaceTemplate.objects.create(sample=sample, pack=pack, embedding=vector)
enrol("Ada of the very long name that wraps", (1, 0), (1, 0.01), (0, 0, 1))
enrol("Bob", (0.8, 0.6))
"""
"""Two people who are confused; one has an outlier and a duplicate. Their samples have no pictures."""

A_JOB = """
import json
from django.utils import timezone
from recognition.models import Job
print("READ", json.dumps(Job.objects.create(kind="gallery_check", {fields}).pk))
"""


@pytest.fixture(scope="module", params=THEMES)
def theme(request: pytest.FixtureRequest) -> Theme:
    chosen: Theme = request.param
    return chosen


@pytest.fixture(scope="module")
def filled_installation(shared_installation: Site) -> Site:
    shared_installation.shell(GALLERY)
    return shared_installation


@pytest.fixture
def page(filled_installation: Site, shared_site: Site, theme: Theme) -> Page:
    shared_site.complaints.expect("404")  # the samples' pictures
    return shared_site.page_of(color_scheme=theme)


def made(site: Site, fields: str) -> str:
    """The address of a job that no process has, in some state."""
    number = site.shell(A_JOB.format(fields=fields)).rpartition("READ ")[2].strip()
    return site.url(f"/admin/recognition/job/{number}/change/")


def test_a_gallery_check_that_is_asked_for_here_leads_to_what_it_found(page: Page, shared_site: Site) -> None:
    page.goto(shared_site.url("/admin/recognition/job/"))
    page.get_by_role("button", name="Check the gallery").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="People who may be taken for each other: 1")).to_be_visible()
    # The page may show what the check before found while this one runs.
    expect(page.get_by_role("link", name="The job, and how to cancel it")).to_have_count(0)
    page.get_by_role("link", name="The job", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("2 people with 4 samples were compared.")
    looks.inspect(page, "job-done")
    page.get_by_role("link", name="Gallery health: every finding").click()
    expect(page.get_by_role("heading", name="People with too few views: 2")).to_be_visible()


def test_a_running_job_shows_its_bar_which_moves_and_keeps_the_focus_and_is_cancelled(
    page: Page, shared_site: Site
) -> None:
    page.goto(made(shared_site, "state='running', started_at=timezone.now(), attempt=1, done=3, total=10"))
    expect(page.get_by_role("status")).to_have_text("Step 3 of 10 is done.")
    looks.inspect(page, "job-running")
    cancel = page.get_by_role("button", name="Cancel this job")
    cancel.focus()
    shared_site.shell("from recognition.models import Job; Job.objects.filter(state='running').update(done=7)")
    expect(page.get_by_role("status")).to_have_text("Step 7 of 10 is done.")
    assert page.get_by_role("progressbar").get_attribute("value") == "7"
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The job ends after its current step.")).to_be_visible()
    expect(cancel).to_have_count(0)
    shared_site.shell(
        "from django.utils import timezone; from recognition.models import Job; "
        "Job.objects.filter(state='running').update(state='cancelled', finished_at=timezone.now())"
    )
    expect(page.get_by_role("status")).to_contain_text("It was cancelled.")
    looks.inspect(page, "job-cancelled")


def test_a_job_that_failed_says_why(page: Page, shared_site: Site) -> None:
    page.goto(made(shared_site, "state='failed', finished_at=timezone.now(), error_code='no_thresholds'"))
    expect(page.get_by_role("status")).to_contain_text("no measured thresholds")
    looks.inspect(page, "job-failed")
    page.goto(shared_site.url("/admin/recognition/job/"))
    looks.inspect(page, "jobs")
