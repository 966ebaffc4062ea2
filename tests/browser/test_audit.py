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


OLD = (
    STORED
    + """
import datetime as dt
then = now - dt.timedelta(days=100)
for decision in ("accept", "accept", "reject_no_match"):
    RecognitionEvent.objects.create(decision=decision, policy=event.policy, pack=pack, started_at=then, decided_at=then,
        thresholds=event.thresholds)
"""
)


def test_events_are_kept_for_days_and_one_under_hold_for_longer(site: Site) -> None:
    site.shell(OLD)
    page = site.page_of()
    page.goto(site.url("/admin/recognition/recognitionevent/2/change/"))
    page.get_by_text("Place a legal hold").click()
    page.get_by_label("Why the event must be kept").fill("A dispute about the door.")
    page.get_by_role("button", name="Place the hold").click()
    expect(page.get_by_text("nothing of this event is deleted")).to_be_visible()
    looks.inspect(page, "event-hold")

    page.goto(site.url("/admin/recognition/retentionrule/"))
    expect(page.get_by_text("Nothing was removed yet.")).to_be_visible()
    page.get_by_role("link", name="Accepted").click()
    page.get_by_label("Days for events").fill("30")
    looks.inspect(page, "retention-rule")
    page.get_by_role("button", name="Save", exact=True).click()
    row = page.get_by_role("row", name="Accepted 1 1 0 0")
    expect(row).to_be_visible()

    site.shell("from recognition.jobs import upkeep; upkeep.apply_retention(0)")
    page.reload()
    expect(page.get_by_role("row", name="Accepted 0 1 0 0")).to_be_visible()
    expect(page.get_by_text("1 event ·")).to_be_visible()
    looks.inspect(page, "retention")
    kept = "sorted(RecognitionEvent.objects.values_list('pk', flat=True))"
    assert site.read(kept, imports="from recognition.models import RecognitionEvent") == [1, 2, 4]
    whole = "sealed_log.verify().is_whole"
    assert site.read(whole, imports="from recognition.services import sealed_log")
