"""Somebody whom the camera saw and nobody knew is enrolled from the page of the event."""

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

SAMPLES = "list(FaceSample.objects.values_list('person__name', 'source', 'event'))"
IMPORTS = "from recognition.models import FaceSample, RecognitionEvent"


def event_of_nobody_known(site: Site) -> int:
    """An event with the picture that would have been kept of one of the six of the group photo; its number."""
    square = cv2.resize(np.ascontiguousarray(faces.group()[125:305, 230:410]), (192, 192))
    picture = base64.b64encode(faces.jpeg(np.asarray(square, np.uint8))).decode()
    site.shell(
        "\n".join(
            [
                "import base64",
                "from django.utils import timezone",
                "from recognition.models import EventCrop, ModelPack, RecognitionEvent",
                "pack = ModelPack.objects.get(is_active=True)",
                "policy = pack.policies.get(state='active', checkpoint=None)",
                "measured = dict(face_size_px=100.0, inter_eye_distance_px=40.0, detection_score=0.9, sharpness=200.0,",
                "    luminance_mean=0.5, yaw_degrees=0.0, pitch_degrees=0.0, roll_degrees=0.0, visible_fraction=1.0)",
                "event = RecognitionEvent.objects.create(decision='reject_no_match', pack=pack, policy=policy,",
                "    quality=measured, thresholds=dict(identification_threshold=0.5, margin=0.05),",
                "    started_at=timezone.now(), decided_at=timezone.now())",
                f"EventCrop.objects.create(event=event, jpeg=base64.b64decode({picture!r}))",
            ]
        )
    )
    return int(site.read("RecognitionEvent.objects.latest('pk').pk", imports=IMPORTS))


def test_an_unknown_face_becomes_somebody_new_by_keyboard(site: Site) -> None:
    number = event_of_nobody_known(site)
    page = site.page_of()
    page.goto(site.url(f"/admin/recognition/recognitionevent/{number}/change/"))
    looks.inspect(page, "event-of-nobody-known")
    page.get_by_role("link", name="Enrol this face").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Somebody new")).to_be_visible()
    looks.inspect(page, "enrol-event")

    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("Grace Event")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The face is enrolled as Grace Event.")).to_be_visible()
    assert site.read(SAMPLES, imports=IMPORTS) == [["Grace Event", "event", number]]

    page.goto(site.url(f"/admin/recognition/recognitionevent/{number}/enrol/"))
    page.get_by_label("Part of the name").fill("grace")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Enrol as Grace Event").click()
    expect(page.get_by_text("This very file is enrolled for this person already.")).to_be_visible()
    looks.inspect(page, "enrol-event-again")
    assert len(site.read(SAMPLES, imports=IMPORTS)) == 1
