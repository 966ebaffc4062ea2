"""A person of whom much is stored is erased, and the certificate downloaded; a hold makes the erasure wait."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import looks
from tests.browser.site import Site

pytestmark = pytest.mark.browser

# Vectors of our own: the pages show what was enrolled, whoever it was.
STORED = """
import numpy as np
from django.utils import timezone
from recognition.models import *
pack = ModelPack.objects.get(is_active=True)
person = Person.objects.create(name="Grace Hopper", external_id="GH-1")
vector = np.zeros(pack.dimension, np.float32)
vector[0] = 1
sample = FaceSample.objects.create(
    person=person, source="upload", image_sha256="1",
    quality={"yaw_degrees": 0.0, "pitch_degrees": 0.0, "luminance_mean": 0.5},
)
SampleImage.objects.create(sample=sample, jpeg=b"a picture")
FaceTemplate.objects.create(sample=sample, pack=pack, embedding=vector)
now = timezone.now()
event = RecognitionEvent.objects.create(
    decision="accept", person=person, best_person=person, best_sample=sample, similarity=0.9, claimed_id="GH-1",
    policy=pack.policies.get(version=1), pack=pack, started_at=now, decided_at=now,
    thresholds={"identification_threshold": 0.5, "margin": 0.05, "votes_needed": 3, "votes_of": 5},
)
EventCrop.objects.create(event=event, jpeg=b"a crop")
"""
LEFT = (
    "[Person.objects.count(), FaceSample.objects.count(), FaceTemplate.objects.count(), SampleImage.objects.count(), "
    "EventCrop.objects.count(), RecognitionEvent.objects.count(), RecognitionEvent.objects.get().claimed_id]"
)


def person_page(site: Site) -> Page:
    site.shell(STORED)
    page = site.page_of()
    page.goto(site.url("/admin/recognition/person/"))
    page.get_by_role("link", name="Grace Hopper").click()
    return page


def erase(page: Page) -> None:
    page.get_by_text("Erase this person").click()
    page.get_by_label("Why they are erased").select_option("requested")
    page.get_by_label("It cannot be undone").check()
    page.get_by_role("button", name="Erase", exact=True).click()


def test_a_person_with_a_consent_is_erased_with_a_certificate(site: Site) -> None:
    page = person_page(site)
    page.get_by_text("Record a legal basis").click()
    looks.inspect(page, "legal-basis")
    page.get_by_label("version of the text").fill("2026-1")
    page.get_by_label("how it was given").select_option("signed_form")
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_text("The legal basis is recorded.")).to_be_visible()

    erase(page)
    expect(page.get_by_role("heading", name="What was deleted")).to_be_visible()
    expect(page.get_by_text("Grace Hopper")).to_have_count(0)
    looks.inspect(page, "erasure-certificate")
    with page.expect_download() as download:
        page.get_by_role("link", name="Certificate as JSON").click()
    certificate = json.loads(Path(download.value.path()).read_text())
    assert certificate["deleted"]["event_crops"] == certificate["deleted"]["templates"] == 1
    assert certificate["legal_bases"][0]["text_version"] == "2026-1"
    assert certificate["signature"]
    with page.expect_download() as download:
        page.get_by_role("link", name="Certificate as PDF").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    assert site.read(LEFT, imports="from recognition.models import *") == [0, 0, 0, 0, 0, 1, ""]

    page.goto(site.url("/admin/recognition/recognitionevent/"))
    page.locator(".faceweb-log a").first.click()
    expect(page.get_by_text("A person of this event was erased on")).to_be_visible()
    looks.inspect(page, "event-of-erased")


def test_an_erasure_waits_for_a_legal_hold_and_runs_when_it_is_lifted(site: Site) -> None:
    page = person_page(site)
    page.get_by_text("Place a legal hold").click()
    page.get_by_label("Why the data must be kept").fill("A lawsuit")
    page.get_by_role("button", name="Place the hold").click()
    expect(page.get_by_text("The hold is placed")).to_be_visible()
    erase(page)
    expect(page.get_by_text("The erasure was asked for on")).to_be_visible()
    looks.inspect(page, "erasure-waits")
    page.get_by_role("link", name="Erasures").click()
    expect(page.get_by_role("cell", name="A lawsuit")).to_be_visible()
    looks.inspect(page, "erasures")
    page.get_by_role("link", name="Grace Hopper").click()
    page.get_by_role("button", name="Lift the hold and erase").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What was deleted")).to_be_visible()
    assert site.read(LEFT, imports="from recognition.models import *") == [0, 0, 0, 0, 0, 1, ""]


def test_a_basis_is_recorded_for_many_people_from_their_list(site: Site) -> None:
    site.shell(STORED + 'Person.objects.create(name="Mary Jackson")')
    page = site.page_of()
    page.goto(site.url("/admin/recognition/person/"))
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("record_basis")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("for each of 2 people")).to_be_visible()
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_text("For a consent, say to which version of the text")).to_be_visible()
    looks.inspect(page, "legal-basis-of-many")
    page.get_by_label("version of the text").fill("2026-1")
    page.get_by_label("how it was given").select_option("signed_form")
    page.get_by_role("button", name="Record it").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The legal basis is recorded for 2 people.")).to_be_visible()
    assert site.read("LegalBasis.objects.count()", imports="from recognition.models import *") == 2
