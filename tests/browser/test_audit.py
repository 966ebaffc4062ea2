"""An event is taken out as proof, and the proof holds without the installation."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from recognition.sealing import bundle
from recognition.sealing.bundle import BundleRefused
from tests.browser import looks
from tests.browser.site import Site

pytestmark = pytest.mark.browser

STORED = """
from django.utils import timezone
from recognition.models import *
pack = ModelPack.objects.get(is_active=True)
now = timezone.now()
event = RecognitionEvent.objects.create(
    decision="reject_no_match", similarity=0.31, claimed_id="GH-1", kind="verification", started_at=now, decided_at=now,
    policy=pack.policies.get(version=1), pack=pack,
    thresholds={"identification_threshold": 0.5, "verification_threshold": 0.4, "margin": 0.05, "votes_needed": 3},
)
EventCrop.objects.create(event=event, jpeg=b"a crop")
"""


def test_an_event_is_exported_as_a_bundle_that_proves_itself(site: Site) -> None:
    site.shell(STORED)
    page = site.page_of()
    page.goto(site.url("/admin/recognition/recognitionevent/1/change/"))
    fingerprint = page.locator(".faceweb-key").inner_text()
    expect(page.get_by_role("button", name="Export a signed bundle")).to_be_visible()
    looks.inspect(page, "event-bundle")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export a signed bundle").click()
    assert download.value.suggested_filename == "event-1.bundle.json"
    content = Path(download.value.path()).read_bytes()
    found = bundle.verify(content, trusted=[fingerprint])
    assert found.contents["event", 1]["decision"] == "reject_no_match"
    assert found.contents["claim", 1]["claimed_id"] == "GH-1"
    with pytest.raises(BundleRefused):
        bundle.verify(content, trusted=["00" * 32])
