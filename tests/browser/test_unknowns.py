"""People whom the camera saw and nobody knew are grouped, and somebody is made of one of them, by keyboard."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests import faces
from tests.browser import looks
from tests.browser.site import Site

pytestmark = pytest.mark.browser

IMPORTS = "from recognition.models import FaceSample, UnknownCluster"
STATES = "sorted(UnknownCluster.objects.filter(faces__isnull=False).distinct().values_list('state', flat=True))"

SEEN = """
import base64, datetime
from django.utils import timezone
from recognition.models import EventCrop, ModelPack, RecognitionEvent
pack = ModelPack.objects.get(is_active=True)
policy = pack.policies.get(state='active', checkpoint=None)
measured = dict(face_size_px=100.0, inter_eye_distance_px=40.0, detection_score=0.9, sharpness=200.0,
    luminance_mean=0.5, yaw_degrees=0.0, pitch_degrees=0.0, roll_degrees=0.0, visible_fraction=1.0)
for hours, jpeg in enumerate(PICTURES):
    at = timezone.now() - datetime.timedelta(hours=hours)
    event = RecognitionEvent.objects.create(decision='reject_no_match', pack=pack, policy=policy, quality=measured,
        thresholds=dict(identification_threshold=0.5, margin=0.05), started_at=at, decided_at=at)
    EventCrop.objects.create(event=event, jpeg=base64.b64decode(jpeg))
"""


def kept_picture(x: int, y: int, side: int = 180) -> str:
    """Part of the group photo, as it would be kept of a face."""
    square = cv2.resize(np.ascontiguousarray(faces.group()[y : y + side, x : x + side]), (192, 192))
    return base64.b64encode(faces.jpeg(np.asarray(square, np.uint8))).decode()


def test_unknown_faces_become_people_by_keyboard(site: Site) -> None:
    page = site.page_of()
    page.goto(site.url("/admin/recognition/unknowncluster/"))
    expect(page.get_by_text("Nothing is grouped yet.")).to_be_visible()
    looks.inspect(page, "unknowns-empty")

    one, other = (230, 125), (830, 60)
    pictures = [kept_picture(*one), kept_picture(one[0] - 6, one[1] + 4), kept_picture(*other)]
    site.shell(SEEN.replace("PICTURES", repr(pictures)))
    page.get_by_role("button", name="Group the faces now").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Seen 2 times")).to_be_visible()
    expect(page.get_by_text("Seen 1 time", exact=True)).to_be_visible()
    looks.inspect(page, "unknowns")

    page.get_by_role("link", name="Unknown person").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Who is this?")).to_be_visible()
    looks.inspect(page, "unknown")
    page.get_by_role("checkbox").first.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="split").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("an unknown person of their own now")).to_be_visible()
    expect(page.get_by_role("heading", name="Perhaps the same person")).to_be_visible()
    looks.inspect(page, "unknown-split")
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is undone.")).to_be_visible()
    expect(page.get_by_text("Seen 2 times")).to_be_visible()

    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("Grace Unknown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Grace Unknown is a person now.")).to_be_visible()
    looks.inspect(page, "unknown-assigned")
    assert site.read("FaceSample.objects.filter(person__name='Grace Unknown').exists()", imports=IMPORTS)

    page.get_by_role("link", name="All unknown people").click()
    page.get_by_role("link", name="not decided (1)").click()
    page.get_by_role("link", name="Unknown person").first.click()
    page.get_by_role("button", name="Not a person of interest").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("faces that come later are put here too")).to_be_visible()
    assert site.read(STATES, imports=IMPORTS) == ["assigned", "ignored"]
