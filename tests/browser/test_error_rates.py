"""Error rates from verdicts, before the first one and after some."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import looks
from tests.browser.site import Site

pytestmark = pytest.mark.browser

JUDGED = """
import datetime as dt
from django.contrib.auth.models import User
from django.utils import timezone
from recognition.decision.reviews import ReviewVerdict
from recognition.models import Checkpoint, ModelPack, RecognitionEvent, ThresholdPolicy
from recognition.services import reviews
from recognition.services.reviews import Design
pack = ModelPack.objects.get(is_active=True)
policy = ThresholdPolicy.objects.get(pack=pack, state="active")
thresholds = {"identification_threshold": 0.47, "verification_threshold": 0.42}
admin = User.objects.get(username="admin")
doors = [Checkpoint.objects.create(slug=f"door{number}", name=f"Door {number} of the very long name", mode="both")
         for number in range(3)]
for number in range(120):
    accepted = number % 3 > 0
    RecognitionEvent.objects.create(
        decision="accept" if accepted else "reject_no_match", kind="verification" if number % 2 else "identification",
        similarity=0.8 if accepted else 0.1, thresholds=thresholds, policy=policy, pack=pack,
        checkpoint=doors[number % 4] if number % 4 < 3 else None, started_at=timezone.now(),
        decided_at=timezone.now() - dt.timedelta(hours=number % 5, minutes=1))
RecognitionEvent.objects.create(
    decision="no_decision_quality", thresholds=thresholds, policy=policy, pack=pack, started_at=timezone.now(),
    decided_at=timezone.now())
now = timezone.now()
batch = reviews.draw(
    design=Design(since=now - dt.timedelta(days=1), until=now, accepts=40, refusals=20, width=0.02, second_share=0.0),
    actor=admin, now=now, seed=3)
for item in batch.items.select_related("event"):
    wrong = item.position % 7 == 0
    match = ReviewVerdict.FALSE_MATCH if wrong else ReviewVerdict.TRUE_MATCH
    no_match = ReviewVerdict.FALSE_NON_MATCH if wrong else ReviewVerdict.TRUE_NON_MATCH
    code = match if item.event.decision == "accept" else no_match
    reviews.give(event=item.event, code=code, note="", actor=admin, now=now, item=item)
"""
"""A hundred and twenty transactions at three doors and the live page; sixty drawn and judged, one in seven wrong."""


THINNED = """
import datetime as dt
from django.utils import timezone
from recognition.models import RetentionRule
from recognition.services import retention
retention.change_rule(rule=RetentionRule.objects.get(code="accepted"), event_days=1, crop_days=None, actor=None)
retention.apply(now=timezone.now() + dt.timedelta(days=2))
"""
"""Retention takes the accepted ones."""


def test_rates_are_read_told_apart_and_saved(site: Site) -> None:
    page = site.page_of()
    page.goto(site.url("/admin/"))
    page.locator("#nav-sidebar-apps").get_by_role("link", name="Error rates").click()
    expect(page.get_by_role("heading", name="No verdicts yet")).to_be_visible()
    looks.inspect(page, "error-rates-never")
    site.shell(JUDGED)
    page.reload()
    expect(page.get_by_role("status")).to_have_text("60 events were judged.")
    expect(page.get_by_role("region", name="By checkpoint").get_by_role("img")).to_be_visible()
    looks.inspect(page, "error-rates")
    page.get_by_label("Told apart").select_option("hour")
    page.get_by_role("button", name="Show", exact=True).press("Enter")
    expect(page.get_by_role("region", name="By hour of the day").get_by_role("row")).to_have_count(6)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV, all groups").click()
    assert download.value.suggested_filename == "faceweb-error-rates.csv"
    site.shell(THINNED)
    page.reload()
    expect(page.get_by_role("heading", name="Some of the draw is gone")).to_be_visible()
    looks.inspect(page, "error-rates-thinned")
