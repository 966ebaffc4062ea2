"""The log is decided anew by moving a slider with the keyboard, and without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import looks
from tests.browser.site import Site

pytestmark = pytest.mark.browser

LOG = """
from django.utils import timezone
from recognition.models import ModelPack, Person, RecognitionEvent, ThresholdPolicy
pack = ModelPack.objects.get(is_active=True)
policy = ThresholdPolicy.objects.get(pack=pack, state="active")
names = ("identification_threshold", "verification_threshold", "margin", "votes_needed", "votes_of", "strategy")
thresholds = {name: getattr(policy, name) for name in names}
quality = {"face_size_px": 112.0, "inter_eye_distance_px": 35.0, "detection_score": 0.9, "sharpness": 200.0,
           "luminance_mean": 0.5, "yaw_degrees": 0.0, "pitch_degrees": 0.0, "roll_degrees": 0.0,
           "visible_fraction": 1.0}
for number in range(60):
    person = Person.objects.create(name=f"Person {number} of the very long name that wraps")
    similarities = [0.48 + number / 200] * 3
    if number % 10 == 9:
        similarities[2] = 0.473
    votes = [
        {"at_ms": 300 * place, "decision": "accept", "best_person": person.pk, "best_sample": None,
         "similarity": similarity, "runner_up": None, "runner_up_similarity": None, "margin": None, "others": [],
         "counts": True, "quality": quality}
        for place, similarity in enumerate(similarities)
    ]
    RecognitionEvent.objects.create(
        decision="accept", person=person, best_person=person, votes=votes, thresholds=thresholds, policy=policy,
        pack=pack, started_at=timezone.now(), decided_at=timezone.now())
Person.objects.filter(name__startswith="Person 1 ").delete()
"""
"""Sixty accepts, each a little closer than the one before; of some the last vote is right at the threshold."""

PAGE = "/admin/recognition/thresholdpolicy/what-if/"


def slider(page: Page) -> None:
    """Moves the identification threshold up by keyboard, and sends the form."""
    page.get_by_label("Identification threshold").focus()
    for _ in range(50):
        page.keyboard.press("ArrowRight")
    for _ in range(5):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def test_the_log_is_decided_anew_by_keyboard_and_what_was_tried_is_proposed(site: Site) -> None:
    page = site.page_of()
    page.goto(site.url("/admin/"))
    page.locator("#nav-sidebar-apps").get_by_role("link", name="What if").click()
    expect(page.get_by_label("Identification threshold")).to_have_value("0.472")
    looks.inspect(page, "what-if-never")
    slider(page)
    expect(page.get_by_text("There is no event in this time that could be decided anew.")).to_be_visible()

    site.shell(LOG)
    page.goto(site.url(PAGE))
    page.get_by_label("Identification threshold").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Identification threshold: 0.473")).to_be_visible()
    page.goto(site.url(PAGE))
    slider(page)
    expect(page.get_by_text("60 events were decided anew.")).to_be_visible()
    tiles = page.get_by_role("list", name="What would change")
    expect(tiles.get_by_text("9 Accepted then, refused now", exact=True)).to_be_visible()
    expect(tiles.get_by_text("6 Accepted then, undetermined now", exact=True)).to_be_visible()
    expect(page.get_by_text("Accepted: somebody who was erased since")).to_have_count(1)
    page.get_by_text("What this cannot tell").click()
    looks.inspect(page, "what-if-found")
    tiles.get_by_role("link", name="Accepted then, undetermined now", exact=True).click()
    expect(page.get_by_role("row")).to_have_count(7)

    page.get_by_role("link", name="Propose these thresholds").click()
    expect(page.get_by_label("Identification threshold")).to_have_value("0.522")


def test_it_works_without_a_script(site: Site) -> None:
    site.shell(LOG)
    page = site.page_of(java_script_enabled=False)
    page.goto(site.url(PAGE))
    page.get_by_label("Identification threshold").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="Decide anew").press("Enter")
    expect(page.get_by_text("60 events were decided anew.")).to_be_visible()
    expect(page.get_by_label("Identification threshold")).to_have_value("1")
    expect(page.get_by_role("row")).to_have_count(51)
